"""`ContinuationProgress` over real HTTP: what it shows, and that no run notices it."""

import io
import logging
import re
import sys
import threading
import types
from typing import Any, Self

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_bedrock_continue import ContinuationProgress, SegmentError
from langchain_bedrock_continue._display.run import Run
from langchain_bedrock_continue._display.terminal import TerminalDisplay
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Say,
)
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.models import NOVA, model
from tests.support.scripts import continuing_but_failing
from tests.support.waiting import eventually

TEXT = "one two three four five six seven eight nine ten eleven twelve thirteen"
DRAWN = re.compile(
    r"(?:\x1bD)+\x1b\[\d+A\x1b7.*?\x1b8|\x1b7\x1b\[1B\r\x1b\[J\x1b8", re.DOTALL
)
COLOUR = re.compile(r"\x1b\[[\d;]*m")
NUMBERS = re.compile(r"(?<![\w-])[\d.,]+ (tok/s|s)\b")
TOOL = {"name": "search", "description": "Search.", "input_schema": {"type": "object"}}


class Terminal(io.StringIO):
    """A stream that says it is a terminal; in a `with`, both streams of the process."""

    def __enter__(self) -> Self:
        self._streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self
        return self

    def __exit__(self, *_: object) -> None:
        assert sys.stdout is sys.stderr is self  # given back after each run (TERM-2)
        sys.stdout, sys.stderr = self._streams

    def isatty(self) -> bool:
        return True

    @property
    def left(self) -> str:
        """What stays on the screen, without the colours."""
        return COLOUR.sub("", DRAWN.sub("", self.getvalue())).replace("\r\n", "\n")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make a terminal of 120 columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def said(text: str) -> str:
    """Return a text without the numbers that the clock decides."""
    return NUMBERS.sub(r"N \1", text)


def config(progress: ContinuationProgress) -> Any:
    return {"callbacks": [progress]}


# Lines ------------------------------------------------------------------------------


def test_every_entrance_writes_the_same_lines(
    serve: Serve, every_entrance: Entrance
) -> None:
    file = io.StringIO()
    bedrock = serve(TEXT)
    llm = model(bedrock, max_tokens=5, callbacks=[ContinuationProgress(file=file)])
    message = every_entrance(llm, "Count.")
    assert message.text == TEXT
    assert said(file.getvalue()).splitlines() == [
        "claude-3-5-sonnet: segment 1: max_tokens, 5 tokens; continuing",
        "claude-3-5-sonnet: segment 2: max_tokens, 5 tokens; continuing",
        "claude-3-5-sonnet: complete: 3 segments, 14 tokens, N tok/s, N s",
    ]


class AsciiTerminal(io.TextIOWrapper):
    """A terminal that knows ASCII only."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_without_the_characters_of_a_line_gets_plain_lines(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    file = AsciiTerminal(raw := io.BytesIO(), encoding="ascii")
    llm = model(serve(TEXT), model=NOVA, max_tokens=5, max_continuations=0)
    llm.invoke("Count.", config(ContinuationProgress(file=file)))
    assert said(raw.getvalue().decode()) == (
        "nova-pro: incomplete: max_continuations: 1 segment, 5 tokens, N tok/s, N s\n"
    )


def test_an_error_is_a_line(serve: Serve, entrance: Entrance) -> None:
    file = io.StringIO()
    bedrock = serve(continuing_but_failing(Answer(TEXT), 2))
    llm = model(bedrock, max_tokens=5, callbacks=[ContinuationProgress(file=file)])
    with pytest.raises(SegmentError):
        entrance(llm, "Count.")
    assert "claude-3-5-sonnet: SegmentError: " in file.getvalue().splitlines()[-1]


# A terminal -------------------------------------------------------------------------


def test_an_answer_can_be_printed_while_the_line_is_below_it(
    serve: Serve, terminal: Terminal
) -> None:
    """TERM-1, TERM-2: without the line, the screen has the answer as it was printed."""
    llm = model(serve(Answer(TEXT, delay=0.02)), max_tokens=5)
    with terminal:
        for chunk in llm.stream("Count.", config(ContinuationProgress())):
            print(chunk.text, end="", flush=True)  # noqa: T201 - as a program does
            assert sys.stdout is not terminal
        print("\nnext")  # noqa: T201 - the same
    answer, line, *rest = said(terminal.left).splitlines()
    assert answer == TEXT
    assert line.startswith("✓ claude-3-5-sonnet  ━")
    assert line.count("┃") == 2
    assert line.endswith("3 segments · 14 tokens · N tok/s · N s")
    assert rest == ["", "next"]
    assert "segment 2" in terminal.getvalue()


def test_what_is_logged_is_not_mixed_with_the_line(
    serve: Serve, terminal: Terminal
) -> None:
    """TERM-2: a handler of the root logger has the stream of before the run."""
    llm = model(serve(Answer(TEXT, delay=0.02)), max_tokens=5)
    handler = logging.StreamHandler(terminal)
    logging.getLogger().addHandler(handler)
    try:
        with terminal:
            for number, _ in enumerate(
                llm.stream("Count.", config(ContinuationProgress()))
            ):
                assert handler.stream is not terminal
                logging.getLogger("app").warning("line %d", number)
        assert handler.stream is terminal
    finally:
        logging.getLogger().removeHandler(handler)
    *lines, last = terminal.left.splitlines()
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert last.startswith("✓ claude-3-5-sonnet  ━")


def test_a_tool_call_is_shown_while_it_arrives(
    serve: Serve, terminal: Terminal, recorder: Recorder
) -> None:
    call = CallTool("search", {"q": "a " * 60})
    answer = Answer([Say("I look."), call], fine_grained=True)
    llm = model(serve(answer), max_tokens=1_000).bind_tools([TOOL])
    with terminal:
        handlers: Any = {"callbacks": [recorder, ContinuationProgress()]}
        for chunk in llm.stream("Look it up.", handlers):
            if recorder.events and not chunk.content:  # the call is withheld
                eventually(lambda: "calling search(" in terminal.getvalue())
    assert "calling search(" in terminal.getvalue()
    assert "calling" not in terminal.left


def test_several_runs_at_once_leave_a_line_each(
    serve: Serve, terminal: Terminal
) -> None:
    llm = model(serve(TEXT), max_tokens=5)
    with terminal:
        llm.batch(["Count."] * 6, config(ContinuationProgress()))
    assert len(terminal.left.splitlines()) == 6


def test_more_runs_than_lines_are_counted(terminal: Terminal) -> None:
    display = TerminalDisplay(terminal, clock=lambda: 1.0)
    with terminal:
        for number in range(12):
            display.start(number, Run("model", None, 0.0))
        assert "and 5 more · 0 tokens" in terminal.getvalue()
        for number in range(12):
            display.end(number)


def test_no_line_is_drawn_while_the_cursor_is_at_the_edge(terminal: Terminal) -> None:
    """TERM-3: a terminal that forgets it would write over the last character."""
    display = TerminalDisplay(terminal, clock=lambda: 1.0)
    with terminal:
        display.start(1, Run("model", None, 0.0))
        for text, drawn in (("a" * 119, True), ("b", False), ("c", True)):
            written = len(terminal.getvalue())
            print(text, end="")  # noqa: T201 - as a program does
            after = terminal.getvalue()[written:]
            assert ("segment 1" in after.rpartition(text)[2]) == drawn
        display.end(1)
    assert terminal.left.startswith("a" * 119 + "bc\n⠋ model")


def test_a_closed_stream_gives_the_terminal_back(
    serve: Serve, terminal: Terminal
) -> None:
    llm = model(serve(TEXT), max_tokens=5)
    with terminal:
        stream: Any = llm.stream("Count.", config(ContinuationProgress()))
        next(stream)
        stream.close()
    assert terminal.left.startswith("◼ claude-3-5-sonnet")


def test_nothing_stays_of_a_transient_line(serve: Serve, terminal: Terminal) -> None:
    llm = model(serve(Answer(TEXT, delay=0.02)), max_tokens=5)
    with terminal:
        llm.invoke("Count.", config(ContinuationProgress(transient=True)))
    assert terminal.left == ""


def test_runs_of_a_graph_are_shown(serve: Serve, terminal: Terminal) -> None:
    llm = model(serve(TEXT), max_tokens=5)
    graph: Any = StateGraph(MessagesState)
    for node in ("one", "two"):
        graph.add_node(
            node, lambda state: {"messages": [llm.invoke(state["messages"])]}
        )
    graph.add_edge(START, "one").add_edge(START, "two")
    graph.add_edge("one", END).add_edge("two", END)
    asked = {"messages": [("user", "Count.")]}
    with terminal:
        graph.compile().invoke(asked, config(ContinuationProgress()))
    assert terminal.left.count("3 segments") == 2


def test_without_rich_a_terminal_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    missing = pytest.raises(ImportError, match=r"langchain-bedrock-continue\[rich\]")
    with terminal, missing:
        ContinuationProgress()
    ContinuationProgress("lines")


# A notebook -------------------------------------------------------------------------


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make this process look like the kernel of a notebook; record what it displays."""
    shown: list[tuple[str, dict[str, str]]] = []
    shell = types.SimpleNamespace(kernel=object(), execution_count=1, shown=shown)

    def display(data: Any, *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        name = f"card {len(shown)}"
        shown.append((name, data))
        return types.SimpleNamespace(
            update=lambda data, raw: shown.append((name, data)) if raw else None
        )

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    ipython_display = types.ModuleType("IPython.display")
    ipython_display.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython_display)
    return shell


def test_a_cell_has_one_card(serve: Serve, cell: Any) -> None:
    """NOTE-1, NOTE-3."""
    llm = model(serve(TEXT), max_tokens=5, callbacks=[ContinuationProgress()])
    llm.invoke("Count.")
    llm.invoke("Count.")
    assert {name for name, _ in cell.shown} == {"card 0"}
    last = cell.shown[-1][1]
    line = "claude-3-5-sonnet: complete: 3 segments, 14 tokens, N tok/s, N s"
    assert said(last["text/plain"]) == f"{line}\n{line}"
    assert last["text/html"].count("lbc-complete") == 2 + 1  # and in the style sheet
    cell.execution_count = 2
    llm.invoke("Count.")
    assert len({name for name, _ in cell.shown}) == 2
    assert said(cell.shown[-1][1]["text/plain"]) == line


def test_a_transient_card_is_emptied(serve: Serve, cell: Any) -> None:
    llm = model(serve(TEXT), max_tokens=5)
    llm.invoke("Count.", config(ContinuationProgress(transient=True)))
    assert cell.shown[-1][1] == {"text/html": "", "text/plain": ""}


def test_a_notebook_is_not_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="not the kernel of a notebook"):
        ContinuationProgress("notebook")
    with pytest.raises(ValueError, match="not one of auto, terminal"):
        ContinuationProgress("html")  # type: ignore[arg-type]


# Errors of the display --------------------------------------------------------------


class Broken(Terminal):
    """A terminal that fails after some writes."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def write(self, text: str) -> int:
        self._after -= 1
        if self._after < 0:
            raise OSError("the terminal is gone")
        return super().write(text)


def check_that_it_is_logged_once(llm: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Check that a broken display changes no answer, and gives the streams back."""
    streams = sys.stdout, sys.stderr
    with caplog.at_level(logging.ERROR, "langchain_bedrock_continue"):
        for ask in [*ENTRANCES.values()] * 2:
            assert ask(llm, "Count.").text == TEXT
    assert (sys.stdout, sys.stderr) == streams
    assert [one.message for one in caplog.records] == [
        "ContinuationProgress shows no more"
    ]


class BrokenInItsThread(Terminal):
    """A terminal that is gone when the display's own thread draws."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = threading.Event()

    def write(self, text: str) -> int:
        if threading.current_thread().name == "continuation-progress":
            self.gone.set()
            raise OSError("the terminal is gone")
        return super().write(text)


def test_an_error_of_the_display_in_its_own_thread_is_logged_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = BrokenInItsThread()

    class Waiting(BaseCallbackHandler):
        def on_llm_new_token(self, *_args: Any, **_kwargs: Any) -> None:
            assert terminal.gone.wait(30)

    progress = ContinuationProgress("terminal", file=terminal)
    llm = model(serve(TEXT), max_tokens=5, callbacks=[progress, Waiting()])
    check_that_it_is_logged_once(llm, caplog)


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("output", ["terminal", "lines"])
def test_an_error_of_the_display_never_reaches_the_run(
    serve: Serve, caplog: pytest.LogCaptureFixture, after: int, output: Any
) -> None:
    progress = ContinuationProgress(output, file=Broken(after))
    llm = model(serve(TEXT), max_tokens=5, callbacks=[progress])
    check_that_it_is_logged_once(llm, caplog)
