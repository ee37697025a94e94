"""A real model's continued answers equal its complete ones, byte for byte.

This is the quick part. The complete measure, on two models, is
`python -m tests.benchmarks.exactness`.
"""

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock
from tests.benchmarks.exactness import MODEL, comparisons, uncut_answer
from tests.benchmarks.prompts import PROMPTS
from tests.support.entrances import Entrance
from tests.support.messages import continuation

pytestmark = pytest.mark.model

QUESTION = "What is the capital of France, and why is it known?"


KINDS = [kind for kind in PROMPTS if kind in {"prose", "json", "japanese"}]
"""Words, punctuation and line breaks, and characters of several tokens."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_continued_answer_equals_the_complete_one(
    real_model: LocalBedrock, kind: str
) -> None:
    # Two seams. A larger size has seams at places that this one has, too.
    (result,) = comparisons(real_model, [kind], [16], tokens=48, each=1)
    assert result.same, result.first_difference


@pytest.fixture(scope="module")
def complete_answer(real_model: LocalBedrock) -> str:
    """Ask the question once, with enough tokens for all of its answer."""
    complete = uncut_answer(real_model, QUESTION, 100)
    assert complete.ended
    return complete.text


def test_every_entrance_gives_the_complete_answer(
    real_model: LocalBedrock, complete_answer: str, every_entrance: Entrance
) -> None:
    llm = ChatBedrockContinuing(
        model=MODEL, max_tokens=12, temperature=0, **real_model.client_kwargs()
    )
    message = every_entrance(llm, QUESTION)
    assert message.text == complete_answer
    assert len(continuation(message)["segments"]) > 1
