"""What a model does: its text, its calls, its reasoning, and why it ends."""

from typing import Any

from hypothesis import strategies as st

from langchain_bedrock_continue.local import Answer, CallTool, Say, Think
from tests.support.answers import CITATION
from tests.support.texts import TEXTS

STOP_REASONS = (
    "end_turn",
    "tool_use",
    "stop_sequence",
    "guardrail_intervened",
    "content_filtered",
    "malformed_model_output",
    "malformed_tool_use",
    "model_context_window_exceeded",
    "refusal",
    "pause_turn",
    "some_new_reason",
)
"""Every stop reason that a response may have, without truncation."""

STOP = "END"
"""The stop sequence of the situations; some texts have it."""

PIECES = ("one ", "two", " three", ".\n", "{\n  ", "```py\n", "\n\n", "日本", "- x\n")

RAW_LINE_BREAK = CallTool("write", {"t": "a\nb"}, json_text='{"t": "a\nb"}')

CALLS: tuple[CallTool, ...] = (
    CallTool("time", {}),
    CallTool("write", {"n": 7}),
    CallTool("write", {"path": "a.md", "content": "hello { } \\\n word " * 3}),
    CallTool("write", {"list": [1, [2]], "q": '"日'}),
    RAW_LINE_BREAK,
)


def said() -> st.SearchStrategy[str]:
    """Return a text for a model to say."""
    pieces = st.lists(st.sampled_from(PIECES), min_size=3, max_size=20).map("".join)
    known = st.sampled_from(
        [*TEXTS.values(), f"One, two {STOP} three.", "<thinking>hm"]
    )
    inline = pieces.map(lambda text: f"<thinking>{text}</thinking>\n\n{text}")
    blank = st.sampled_from(["", " ", "\n"])
    return st.one_of(pieces, pieces, known, known, inline, blank)


def blocks(*, has_tools: bool, cites: bool) -> st.SearchStrategy[Any]:
    """Return one block of an answer."""
    says = said().map(Say)
    cited = said().map(lambda text: Say(text, [CITATION] if cites else []))
    thinks = st.builds(
        Think, st.sampled_from(["Hm.", "I think so. " * 4]), st.sampled_from(["s1", ""])
    ) | st.just(Think(redacted=b"xyz"))
    calls = [st.sampled_from(CALLS)] * 2 if has_tools else []
    return st.one_of(says, says, says, cited, thinks, *calls)


@st.composite
def answers(draw: st.DrawFn, *, has_tools: bool, cites: bool) -> Answer:
    """Return an answer of a few blocks."""
    least = draw(st.sampled_from([1, 1, 2, 2, 0]))
    kinds = blocks(has_tools=has_tools, cites=cites)
    some = draw(st.lists(kinds, min_size=least, max_size=4))
    odd_end = draw(st.integers(0, 4)) == 4
    return Answer(
        _with_ids(some),
        stop_reason=draw(st.sampled_from(STOP_REASONS)) if odd_end else None,
        fine_grained=draw(st.booleans()),
        truncated_tool_input=draw(st.sampled_from(["keys", "empty"])),
    )


def _with_ids(some: list[Any]) -> list[Any]:
    """Return the blocks with an id for each call that is its own."""
    return [
        CallTool(one.name, one.input, f"t{at}", one.json_text)
        if isinstance(one, CallTool)
        else one
        for at, one in enumerate(some)
    ]
