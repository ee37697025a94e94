"""A finished message for the eyes: in HTML, by rich, as text."""

import io
import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from rich.console import Console

from langchain_bedrock_continue import ContinuationView, Prices, show
from langchain_bedrock_continue._display import notebook

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
COLOUR = re.compile(r"\x1b\[[\d;]*m")
SEAM = re.compile(r"⟦(?:seam )?\d+⟧")


def message_of(content: Any, seams: list[int], **more: Any) -> AIMessage:
    count = len(seams) + 1
    segments = [
        {
            "stop_reason": "max_tokens",
            "input_tokens": 10,
            "output_tokens": 20,
            "max_tokens": 20,
            "request_id": str(at),
            "strategy": "prefill" if at else None,
        }
        for at in range(count)
    ]
    usage = {
        "input_tokens": 10 * count,
        "output_tokens": 20 * count,
        "total_tokens": 30 * count,
    }
    turn = {
        "complete": True,
        "ended_by": "model",
        "strategy": "prefill",
        "segments": more.pop("segments", segments),
        "seams": seams,
        "billed": usage,
        "response": usage,
    }
    metadata = {"model_name": SONNET, "continuation": turn}
    return AIMessage(content, response_metadata=metadata, **more)


class Page(HTMLParser):
    """Reads HTML as a browser does.

    Attributes:
        tags: The names of all elements.
        open: The elements that are not closed.
        text: The text of each class of element.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[tuple[str, str]] = []
        self.text: dict[str, str] = {}
        self.feed(html.partition("</style>")[2])  # the rules are no text
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for name in {name for _, classes in self.open for name in classes.split()}:
            self.text[name] = self.text.get(name, "") + data


texts = st.text(
    st.sampled_from("ab <>&\"'\n⟦é日👩‍🚀[/]") | st.characters(codec="utf-8")
)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[int]]:
    """Draw a text without what a parser of HTML changes, and where its seams are."""
    text = draw(texts).replace("\r", "").replace("\0", "")
    seams = draw(st.lists(st.integers(0, len(text)), max_size=5))
    return text, sorted(seams)


@given(cut_texts())
def test_html_has_the_text_and_nothing_else_of_the_model(cut: Any) -> None:
    text, seams = cut
    call = {"name": text, "args": {"q": text}, "id": "1", "type": "tool_call"}
    known = Page(ContinuationView.from_message(message_of("", seams))._repr_html_())
    view = ContinuationView.from_message(message_of(text, seams, tool_calls=[call]))
    page = Page(view._repr_html_())
    assert page.open == []
    assert set(page.tags) <= {*known.tags, "b"}
    shown = page.text.get("lbc-text", "")
    marks = page.text.get("lbc-mark", "")
    assert len(shown) == len(text) + len(marks)
    pieces = page.text.get("lbc-text-a", ""), page.text.get("lbc-text-b", "")
    assert sorted("".join(pieces)) == sorted(text)
    assert text in page.text["lbc-call"]


@given(cut_texts())
def test_plain_text_has_the_text_with_marks(cut: Any) -> None:
    text, seams = cut
    view = ContinuationView.from_message(message_of(text, seams))
    assert "".join(piece.text for piece in view.pieces) == text
    assert SEAM.sub("", text) in SEAM.sub("", str(view))


@given(st.text(st.sampled_from("ab[]/\\:é日"), min_size=1), st.data())
def test_rich_draws_the_text_and_no_markup_of_it(text: str, data: Any) -> None:
    seams = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
    console = Console(file=io.StringIO(), width=10_000)
    console.print(ContinuationView.from_message(message_of(text, seams)))
    file: Any = console.file
    assert text in SEAM.sub("", file.getvalue())


def test_pieces_have_the_numbers_of_their_segments() -> None:
    """A retried segment has no piece; where the seams do not fit, pieces count."""
    message = message_of("one two", [3])
    turn = message.response_metadata["continuation"]
    retried = {**turn["segments"][1], "strategy": "retry"}
    turn["segments"].append(retried)
    view = ContinuationView.from_message(message)
    assert [(p.text, p.number) for p in view.pieces] == [("one", 1), (" two", 3)]
    assert [part.kind for part in view.bar] == ["text", "replaced", "text"]
    turn["seams"] = []
    view = ContinuationView.from_message(message)
    assert [(p.text, p.number) for p in view.pieces] == [("one two", 1)]


def test_tool_calls_reasoning_and_costs_are_shown() -> None:
    content = [
        {"type": "reasoning_content", "reasoning_content": {"text": "Let me look."}},
        {"type": "text", "text": "I look it up."},
    ]
    invalid = {
        "type": "invalid_tool_call",
        "name": "search",
        "args": '{"q": "a',
        "id": "1",
        "error": "Truncated at max_tokens.",
    }
    message = message_of(content, [6], invalid_tool_calls=[invalid])
    view = ContinuationView.from_message(message, prices=Prices.claude(1, 5))
    text = str(view)
    assert '⟦tool call⟧ search({"q": "a) invalid: Truncated at max_tokens.' in text
    assert "Cost, all calls: $0.000220" in text
    html = view._repr_html_()
    assert "Let me look." in html
    assert "Truncated at max_tokens." in html
    assert view._repr_mimebundle_() == {"text/html": html, "text/plain": text}


def test_a_long_turn_has_its_first_segments_as_one_part() -> None:
    view = ContinuationView.from_message(message_of("a" * 60, [*range(3, 60, 3)]))
    console = Console(file=io.StringIO(), width=100)
    console.print(view)
    file: Any = console.file
    assert "1–9" in file.getvalue()
    assert "180 tokens" in file.getvalue()
    assert "1–9" in view._repr_html_()


def test_a_message_of_another_model_has_no_view() -> None:
    with pytest.raises(ValueError, match="Give a message of ChatBedrockContinuing"):
        ContinuationView.from_message(AIMessage("x"))


def test_show_writes_plain_text_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    message = message_of("one two", [3])
    show(message)
    assert capsys.readouterr().out == f"{ContinuationView.from_message(message)}\n"


def test_show_draws_in_a_terminal_if_rich_is_installed(monkeypatch: Any) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)
    show(message_of("one two", [3]))
    assert "one⟦2⟧ two" in COLOUR.sub("", terminal.getvalue())
    terminal.truncate(0)
    monkeypatch.setitem(sys.modules, "rich", None)
    show(message_of("one two", [3]))
    assert "one⟦seam 1⟧ two" in terminal.getvalue()


def test_show_displays_html_in_a_notebook(monkeypatch: Any) -> None:
    shown: list[object] = []
    monkeypatch.setattr(notebook, "kernel_shell", object)
    monkeypatch.setattr(notebook, "display", shown.append)
    message = message_of("one two", [3])
    show(message)
    assert shown == [ContinuationView.from_message(message)]
