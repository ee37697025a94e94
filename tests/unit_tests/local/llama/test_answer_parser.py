"""Tool calls in a model's text. The forms are those that Qwen2.5-Coder writes."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Piece,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.llama.answer_parser import (
    AnswerParser,
    new_tool_use_id,
)

NAMES = ("add", "add_all", "read")
BARE = '{"name": "add", "arguments": {"a": 1, "b": {"c": "}"}}}'
SPREAD = '{\n  "name": "add",\n  "arguments": {\n    "a": "x\\"}"\n  }\n}'
READ = '{"name":"read","arguments":{}}'


def parser(names: tuple[str, ...] = NAMES, **options: Any) -> AnswerParser:
    ids = map(str, itertools.count(1))
    return AnswerParser(names, new_id=lambda: next(ids), **options)


def parse(chunks: Iterable[str], *, cut: bool = False, **options: Any) -> list[Piece]:
    """Parse, and join neighbouring pieces of one block."""
    reader = parser(**options)
    fed = [reader.feed(chunk) for chunk in chunks]
    pieces = [*itertools.chain.from_iterable(fed), *reader.end(cut=cut)]
    return joined(pieces)


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if isinstance(piece, Text) and isinstance(last, Text):
            result[-1] = Text(last.text + piece.text)
        elif isinstance(piece, ToolInput) and isinstance(last, ToolInput):
            result[-1] = ToolInput(last.json_text + piece.json_text)
        else:
            result.append(piece)
    return result


def call(name: str, json_text: str, number: int = 1) -> list[Piece]:
    return [ToolStart(str(number), name), ToolInput(json_text), BlockEnd()]


def said(text: str) -> list[Piece]:
    return [Text(text), BlockEnd()]


ADD = '{"a": 1, "b": {"c": "}"}}'


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (BARE, call("add", ADD)),
        (f"<tool_call>\n{BARE}\n</tool_call>", call("add", ADD)),
        (f"<tools>\n{BARE}\n</tools>", call("add", ADD)),
        (f"```json\n{BARE}\n```", call("add", ADD)),
        (f"```\n{BARE}\n```\n", call("add", ADD)),
        (f"```json\n{SPREAD}\n```", call("add", '{\n    "a": "x\\"}"\n  }')),
        (READ.replace("read", "add_all"), call("add_all", "{}")),
        (f"I'll add.\n\n{BARE}", said("I'll add.") + call("add", ADD)),
        (f"{BARE}\n\nDone {{}}.", call("add", ADD) + said("Done {}.")),
        (f"{BARE}\n{READ}", call("add", ADD) + call("read", "{}", 2)),
        (f"```json\n{BARE}\n{READ}\n```", call("add", ADD) + call("read", "{}", 2)),
        (
            f"<tool_call>\n{BARE}\n</tool_call>\n<tool_call>\n{READ}\n</tool_call>",
            call("add", ADD) + call("read", "{}", 2),
        ),
        (
            f"```json\n{READ}\n```\n```py\nx\n```",
            call("read", "{}") + said("```py\nx\n```"),
        ),
        ('{"name":"read","arguments":{}, "id": {"x": 1}}', call("read", "{}")),
    ],
)
def test_l1_calls_are_found(text, pieces):
    assert parse([text]) == pieces
    assert parse(text) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "Hello {name}, `x` < 3.\n",
        '{"name": "unknown", "arguments": {}}',
        '{"name": "ad", "arguments": {}}',
        '{"name": "add", "arguments": [1]}',
        '{"name": "add", "args": {}}',
        '```python\nprint("{}")\n```',
        '```json\n{"x": 1}\n```',
        "<tool_call>\nnothing\n</tool_call>",
        "```json\n",
        '{"name": "add"',
        "  \n",
    ],
)
def test_l3_what_is_no_call_is_given_out_whole(text):
    assert parse([text]) == said(text)
    assert parse(text) == said(text)


FRAGMENTS = st.sampled_from(
    [
        *(BARE, SPREAD, READ, "```json\n", "```", "<tool_call>", "</tool_call>", "\n"),
        *(" ", "text", '{"name": "', "add", '", "arguments": {', "}", "{", '"', "\\"),
    ]
)


@st.composite
def chunked(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = "".join(draw(st.lists(FRAGMENTS, max_size=8)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return text, [text[i:j] for i, j in itertools.pairwise([0, *cuts, len(text)])]


@given(chunked(), st.booleans())
@example((f"```json\n{READ}```json\n{READ}", []), False)  # noqa: FBT003 # hypothesis
def test_l2_the_chunks_make_no_difference(case, cut):
    text, chunks = case
    whole = parse([text], cut=cut)
    assert parse(text, cut=cut) == whole
    assert parse(chunks or [text], cut=cut) == whole


@given(st.text(st.sampled_from('{}<`"json\n :,\\ne')))
def test_l3_no_text_is_lost_where_there_is_no_call(text):
    assert parse(text) == (said(text) if text else [])


@given(st.text())
def test_without_tools_every_text_passes_at_once(text):
    reader = parser(names=())
    assert joined(reader.feed(text)) == ([Text(text)] if text else [])
    assert reader.end(cut=True) == ([BlockEnd()] if text else [])


@given(chunked())
def test_every_block_ends_and_only_once(case):
    _, chunks = case
    opened = False
    for piece in parse(chunks):
        if isinstance(piece, BlockEnd):
            assert opened
            opened = False
        elif isinstance(piece, ToolStart):
            assert not opened
            opened = True
        else:
            assert opened or isinstance(piece, Text)
            opened = True
    assert not opened


@pytest.mark.parametrize("end", range(len("Well: "), len("Well: ") + len(BARE)))
def test_l4_no_half_call_ends_up_in_the_text(end):
    pieces = parse(f"Well: {BARE}"[:end], cut=True)
    assert pieces[0] in (Text("Well:"), Text("Well: "))
    assert all("{" not in piece.text for piece in pieces if isinstance(piece, Text))
    assert isinstance(pieces[-1], BlockEnd)


def test_l4_blanks_at_a_cut_are_kept_where_they_belong_to_a_text():
    assert parse("a \n", cut=True) == said("a \n")
    assert parse(f"{READ}\n", cut=True) == call("read", "{}")


def test_l4_a_forced_call_begins_even_if_its_head_was_cut():
    assert parse('{"na', cut=True, forced="add") == [ToolStart("1", "add"), BlockEnd()]


def test_a_cut_in_the_input_ends_the_block_there():
    assert parse(BARE[:35], cut=True) == call("add", BARE[29:35])


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.dictionaries(st.text(), inner, max_size=3) | st.lists(inner),
    ),
    st.booleans(),
)
def test_l5_any_input_arrives_as_it_was_written(value, ascii_only):
    written = json.dumps({"x": value}, ensure_ascii=ascii_only)
    text = f'{{"name": "add", "arguments": {written}}}'
    assert parse([text]) == parse(text) == call("add", written)


@pytest.mark.parametrize(
    ("text", "cut", "malformed"),
    [
        (BARE, False, False),
        ('{"name": "add", "arguments": {\'a\': 1}}', False, True),
        ('{"name": "add", "arguments": {"a": 1', False, True),
        ('{"name": "add", "arguments": {"a": 1', True, False),
    ],
)
def test_an_input_that_is_no_json_is_noted(text, cut, malformed):
    reader = parser()
    reader.feed(text)
    reader.end(cut=cut)
    assert reader.called
    assert reader.malformed is malformed


def test_ids_have_bedrocks_form_and_differ():
    ids = {new_tool_use_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(i.startswith("tooluse_") and len(i) == 30 for i in ids)
