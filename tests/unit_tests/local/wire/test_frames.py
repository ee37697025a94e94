"""Event-stream frames, decoded with botocore's decoder (FRAME)."""

import json
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue.local.wire import frames

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def decode(data: bytes) -> list[Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


@given(st.lists(st.dictionaries(st.text(), JSON), min_size=1, max_size=4))
def test_events(payloads: list[dict[str, Any]]) -> None:
    """FRAME-1, FRAME-2, FRAME-3."""
    encoded = b"".join(frames.event("contentBlockDelta", p) for p in payloads)
    decoded = decode(encoded)
    assert [json.loads(message.payload) for message in decoded] == payloads
    assert decoded[0].headers == {
        ":event-type": "contentBlockDelta",
        ":content-type": "application/json",
        ":message-type": "event",
    }


def test_an_exception() -> None:
    """FRAME-3."""
    (message,) = decode(frames.exception("throttlingException", "Slow down é"))
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "throttlingException"
    assert json.loads(message.payload) == {"message": "Slow down é"}


def test_a_damaged_frame() -> None:
    with pytest.raises(ChecksumMismatch):
        decode(frames.damaged(frames.event("messageStop", {})))


def test_event_name() -> None:
    assert frames.event_name("ThrottlingException") == "throttlingException"
