"""On a real model, continued answers are the uncut ones, byte for byte: the quick part.

All of it, on two models: `python -m tests.benchmarks.exactness`.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock
from langchain_bedrock_continue.local.llama.backend import LlamaBackend
from langchain_bedrock_continue.local.llama.weights import WeightsUnavailableError
from tests.benchmarks.exactness import MODEL, compare, comparisons, uncut_answer
from tests.benchmarks.prompts import PROMPTS
from tests.support.entrances import Entrance

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def bedrock() -> Iterator[LocalBedrock]:
    with ExitStack() as stack:
        try:
            serving = stack.enter_context(LocalBedrock(LlamaBackend("smollm2")))
        except WeightsUnavailableError as error:
            pytest.skip(f"no real model: {error}")
        yield serving


@pytest.mark.parametrize("max_tokens", [16, 32])
@pytest.mark.parametrize("kind", PROMPTS)
def test_answers_are_byte_identical_to_the_uncut_ones(
    bedrock: LocalBedrock, kind: str, max_tokens: int
) -> None:
    (result,) = comparisons(bedrock, [kind], [max_tokens], tokens=100, each=1)
    assert result.same, result.first_difference


def test_every_entrance_gives_the_same_answer(
    bedrock: LocalBedrock, entrance: Entrance
) -> None:
    question = "What is the capital of France, and why is it known?"
    uncut = uncut_answer(bedrock, question, 100)
    assert uncut.ended
    llm = ChatBedrockContinuing(
        model=MODEL, max_tokens=12, temperature=0, **bedrock.client_kwargs()
    )
    assert entrance(llm, question).text == uncut.text
    assert compare(bedrock, ("list", question), uncut, 12).segments > 1
