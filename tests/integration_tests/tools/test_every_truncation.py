"""A message [thinking, text, tool, tool], cut at every position: a table of them all.

Each position comes twice: once as `max_tokens`, with room to ask for more, and once as
the ceiling, where nothing more can be had. The table says of each what came of it.
"""

import copy
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue.local import Answer, CallTool, Say, Think
from tests.integration_tests.conftest import (
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.support.entrances import ENTRANCES
from tests.support.tool_models import (
    PREFILL_MODEL,
    THINKING,
    going_on,
    tokens_of,
    tools,
)

TEXT = "So:\n```py\nx = {1}\n```\n日本。 "
BLOCKS: list[Think | Say | CallTool] = [
    Think("A file?", signature="c2ln"),
    Say(TEXT),
    CallTool("write", {"path": "a", "n": 7}, tool_use_id="t1"),
    CallTool("read", {"q": "日"}, tool_use_id="t2"),
]
WHOLE = Answer(BLOCKS)
TOOLS = tools("write", "read")
# A few more than it has tokens: key by key, a tool's arguments take more.
POSITIONS = range(1, tokens_of(WHOLE) + 4)

SAME, INVALID, SHORT = "=i-"
LEGEND = (
    f"{SAME} the uncut message   {INVALID} the calls are invalid, and say why   "
    f"{SHORT} ended before any call, and says so"
)
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "prefill": (PREFILL_MODEL, {}),  # does not think
    "thinking": (PREFILL_MODEL, THINKING),  # takes no prefill then
    "user turn": (REFUSING_MODEL, THINKING),
}


class Row(NamedTuple):
    """One line of the table: how a message is asked for, and how it streams."""

    model: str
    entrance: str
    fine_grained: bool
    output_version: str

    def __str__(self) -> str:
        grain = "any token" if self.fine_grained else "whole keys"
        return f"{self.model:9} {self.entrance:7} {grain:10} {self.output_version}"


def is_needed(row: Row) -> bool:
    """Leave out what is the same: async forms run the same two loops as the others."""
    if row.entrance.startswith("a"):
        return row.output_version == "v0" and row.model != "prefill"
    return row.output_version == "v0" or row.fine_grained


ROWS = [
    row
    for row in itertools.starmap(
        Row, itertools.product(MODELS, ENTRANCES, (False, True), ("v0", "v1"))
    )
    if is_needed(row)
]


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[dict[str, list[str]]]:
    """Collect the lines, and print them when the last position was tried."""
    lines: dict[str, list[str]] = {}
    yield lines
    capture = request.config.pluginmanager.getplugin("capturemanager")
    writer = request.config.get_terminal_writer()
    with capture.global_and_fixture_disabled():
        for title, rows in lines.items():
            writer.line(f"\n\n{title}, positions 1 to {POSITIONS[-1]}:  {LEGEND}\n")
            writer.write("\n".join(rows))
        writer.line()


def shape(message: AIMessage) -> dict[str, Any]:
    """All of a message but what differs between two turns."""
    volatile = {"id", "response_metadata", "usage_metadata"}
    return copy.deepcopy(message.model_dump(exclude=volatile))


def asked(bedrock: Any, row: Row, make: Any, **sizes: int) -> AIMessage:
    model_id, thinks = MODELS[row.model]
    settings = {"output_version": row.output_version, **thinks, **sizes}
    llm = make(bedrock, model=model_id, **settings).bind_tools(TOOLS)
    return ENTRANCES[row.entrance](llm, "Hi")


def outcome(message: AIMessage, uncut: dict[str, Any]) -> str:
    """Say in one sign what came of a cut; anything dishonest fails here."""
    summary = message.response_metadata["continuation"]
    if summary["complete"]:
        assert shape(message) == uncut
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
    """Try every position."""
    said = BLOCKS if MODELS[row.model][1] else BLOCKS[1:]
    bedrock = serve(going_on(Answer(said, fine_grained=row.fine_grained)))
    uncut = shape(asked(bedrock, row, plain_model, max_tokens=1000))
    signs = ""
    for at in POSITIONS:
        sizes = {"max_tokens": at}
        if ceiling:
            sizes = {"max_tokens": (at + 2) // 3, "max_tokens_ceiling": at}
        try:
            signs += outcome(asked(bedrock, row, model, **sizes), uncut)
        except AssertionError as error:
            raise AssertionError(f"{row}, cut at {at}") from error
    return signs


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_cut_is_mended(
    serve: Serve, table: dict[str, list[str]], row: Row
) -> None:
    signs = outcomes(serve, row, ceiling=False)
    table.setdefault("cut at max_tokens", []).append(f"{row}  {signs}")
    assert signs == SAME * len(POSITIONS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_cut_at_the_ceiling_is_honest(
    serve: Serve, table: dict[str, list[str]], row: Row
) -> None:
    signs = outcomes(serve, row, ceiling=True)
    title = "cut at the ceiling, which a retry comes to"
    table.setdefault(title, []).append(f"{row}  {signs}")
    assert set(signs) == {SHORT, INVALID, SAME}
    assert (signs[0], signs[-1]) == (SHORT, SAME)
