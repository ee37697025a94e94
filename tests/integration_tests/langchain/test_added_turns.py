"""The chunks of several turns can be added, as those of ChatBedrockConverse can."""

import pytest

from tests.support.endpoint import Serve
from tests.support.entrances import added
from tests.support.messages import continuation
from tests.support.models import model
from tests.support.texts import LONG


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("whole_first", [False, True])
def test_a_whole_and_a_truncated_turn(
    serve: Serve, output_version: str, whole_first: bool
) -> None:
    text = LONG + "And so on, to the end."
    bedrock = serve(text)
    whole = model(bedrock, max_tokens=4000, output_version=output_version)
    cut = whole.model_copy(update={"max_tokens": 5, "max_continuations": 1})
    order = [whole, cut] if whole_first else [cut, whole]
    total = added([chunk for llm in [*order, *order] for chunk in llm.stream("Hi")])
    assert total.text.count(text) == 2
    assert continuation(total)["complete"] is False
    assert len(continuation(total)["segments"]) == 6
