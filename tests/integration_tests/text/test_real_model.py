"""A real model's continued answers equal its complete ones, byte for byte.

This is the quick part. The complete measure, on two models, is
`python -m tests.benchmarks.exactness`.
"""

import pytest

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock
from tests.benchmarks.exactness import MODEL, compare, comparisons, uncut_answer
from tests.benchmarks.prompts import PROMPTS
from tests.support.entrances import Entrance

pytestmark = pytest.mark.model


@pytest.mark.parametrize("max_tokens", [16, 32])
@pytest.mark.parametrize("kind", PROMPTS)
def test_a_continued_answer_equals_the_complete_one(
    real_model: LocalBedrock, kind: str, max_tokens: int
) -> None:
    (result,) = comparisons(real_model, [kind], [max_tokens], tokens=100, each=1)
    assert result.same, result.first_difference


def test_every_entrance_gives_the_same_answer(
    real_model: LocalBedrock, every_entrance: Entrance
) -> None:
    question = "What is the capital of France, and why is it known?"
    complete = uncut_answer(real_model, question, 100)
    assert complete.ended
    llm = ChatBedrockContinuing(
        model=MODEL, max_tokens=12, temperature=0, **real_model.client_kwargs()
    )
    assert every_entrance(llm, question).text == complete.text
    assert compare(real_model, ("list", question), complete, 12).segments > 1
