"""The metadata of several turns' last chunks can be added."""

import json
import pickle
from itertools import product
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from langchain_bedrock_continue._core.record.addable import AddableContinuation


def chunk(*, complete: bool, ended_by: str = "model") -> AIMessageChunk:
    found: dict[str, Any] = {
        "complete": complete,
        "ended_by": ended_by,
        "strategy": None,
        "seams": [3],
    }
    metadata = {"continuation": AddableContinuation(found)}
    return AIMessageChunk(content="x", response_metadata=metadata)


@pytest.mark.parametrize("turns", [*product([True, False], repeat=3)])
def test_a_sum_is_complete_if_each_turn_is(turns: tuple[bool, ...]) -> None:
    first, *others = [chunk(complete=complete) for complete in turns]
    total = first
    for other in others:
        total += other
    found = total.response_metadata["continuation"]
    assert found["complete"] is all(turns)
    assert "complete" in found
    assert found["seams"] == [3, 3, 3]
    assert [one.response_metadata["continuation"]["complete"] for one in [first]] == [
        turns[0]
    ]


def test_chunks_without_it_are_added_on_both_sides() -> None:
    last, plain = chunk(complete=False), AIMessageChunk(content="y")
    for total in (plain + last + plain, last + plain + plain):
        assert total.response_metadata["continuation"]["complete"] is False


def test_it_is_plain_json_and_can_be_pickled() -> None:
    found = chunk(complete=True).response_metadata["continuation"]
    assert json.loads(json.dumps(found)) == found == dict(found)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
    assert found.copy() == found
    assert json.dumps(found.copy()) == json.dumps(found)
