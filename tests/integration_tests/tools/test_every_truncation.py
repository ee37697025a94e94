"""A message [thinking, text, tool, tool], truncated after its tokens.

A row of the table tries every second token, and the next row the others. Each is tried
twice: as `max_tokens`, where a retry may have more tokens, and as the ceiling, where it
may not. A table says of each what the result was.
"""

import itertools
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue.local import Answer, CallTool, Say, Think
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import TWO_ENTRANCES
from tests.support.messages import content_shape, continuation
from tests.support.models import (
    PREFILL_MODEL,
    REFUSING_MODEL,
    THINKING,
    model,
    plain_model,
)
from tests.support.scripts import continuing, tokens_of
from tests.support.tables import record_row

TEXT = "So:\n```py\nx = {1}\n```\n日本。 "
BLOCKS: list[Think | Say | CallTool] = [
    Think("A file?", signature="c2ln"),
    Say(TEXT),
    CallTool("write", {"path": "a", "n": 7}, tool_use_id="t1"),
    CallTool("read", {"q": "日"}, tool_use_id="t2"),
]
TOOLS = tools("write", "read")
# A few more than it has tokens: key by key, a tool's arguments take more.
LAST = tokens_of(Answer(BLOCKS)) + 3

SAME, INVALID, SHORT = "=i-"
LEGEND = {
    SAME: "the message that is not truncated",
    INVALID: "the calls are invalid, and say why",
    SHORT: "ended before any call, and says so",
}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "prefill": (PREFILL_MODEL, {}),  # does not think
    "thinking": (PREFILL_MODEL, THINKING),  # accepts no prefill then
    "user turn": (REFUSING_MODEL, THINKING),
}


class Row(NamedTuple):
    """One line of the table: how a message is asked for, and how it streams."""

    model: str
    entrance: str
    fine_grained: bool
    output_version: str

    def __str__(self) -> str:
        grain = "any token" if self.fine_grained else "complete keys"
        return f"{self.model:9} {self.entrance:7} {grain:13} {self.output_version}"


ROWS = [
    row
    for row in itertools.starmap(
        Row, itertools.product(MODELS, TWO_ENTRANCES, (False, True), ("v0", "v1"))
    )
    # The version is LangChain's form of the same blocks: tried where they are finest.
    if row.output_version == "v0" or row.fine_grained
]


def positions(row: Row) -> list[int]:
    """Return every second position: the odd ones of one row, the even ones of the next.

    The first and the last one are always tried.
    """
    taken = range(1 + ROWS.index(row) % 2, LAST, 2)
    return sorted({1, *taken, LAST})


def asked(bedrock: Any, row: Row, make: Any, **sizes: int) -> AIMessage:
    """Ask as the row says."""
    model_id, thinks = MODELS[row.model]
    settings = {"output_version": row.output_version, **thinks, **sizes}
    llm = make(bedrock, model=model_id, **settings).bind_tools(TOOLS)
    return TWO_ENTRANCES[row.entrance](llm, "Hi")


def outcome(message: AIMessage, expected: dict[str, Any]) -> str:
    """Return the sign of a result; a message that is not honest fails here."""
    summary = continuation(message)
    if summary["complete"]:
        assert content_shape(message) == expected
        assert summary["ended_by"] == "model"
        return SAME
    assert message.tool_calls == []
    assert TEXT.startswith(message.text)
    assert all(block["type"] != "tool_call" for block in message.content_blocks)
    if summary["ended_by"] == "tool_call":
        assert message.invalid_tool_calls
        assert all("max_tokens" in f"{call}" for call in message.invalid_tool_calls)
        return INVALID
    assert summary["ended_by"] == "no_progress"
    return SHORT


def outcomes(serve: Serve, row: Row, *, ceiling: bool) -> str:
    """Return the signs of all positions."""
    said = BLOCKS if MODELS[row.model][1] else BLOCKS[1:]
    bedrock = serve(continuing(Answer(said, fine_grained=row.fine_grained)))
    expected = content_shape(asked(bedrock, row, plain_model, max_tokens=1000))
    signs = ""
    for at in positions(row):
        sizes = {"max_tokens": at}
        if ceiling:
            sizes = {"max_tokens": (at + 2) // 3, "max_tokens_ceiling": at}
        try:
            signs += outcome(asked(bedrock, row, model, **sizes), expected)
        except AssertionError as error:
            raise AssertionError(f"{row}, truncated at {at}") from error
    return signs


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_message_truncated_anywhere_is_the_complete_one(
    serve: Serve, record_property: Any, row: Row
) -> None:
    signs = outcomes(serve, row, ceiling=False)
    record_row(record_property, LEGEND, "truncated at max_tokens", str(row), signs)
    assert signs == SAME * len(positions(row))


# The form changes nothing in what is retried.
@pytest.mark.parametrize("row", [one for one in ROWS if one.output_version == "v0"])
def test_a_message_truncated_at_the_ceiling_says_what_it_lacks(
    serve: Serve, record_property: Any, row: Row
) -> None:
    signs = outcomes(serve, row, ceiling=True)
    title = "truncated at the ceiling, which a retry reaches"
    record_row(record_property, LEGEND, title, str(row), signs)
    assert set(signs) == {SHORT, INVALID, SAME}
    assert (signs[0], signs[-1]) == (SHORT, SAME)
