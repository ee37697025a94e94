"""`ContinuationProgress`: shows in a terminal or a notebook how answers arrive."""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO

from langchain_core.callbacks import BaseCallbackHandler

from langchain_bedrock_continue._display import notebook, terminal
from langchain_bedrock_continue._display.lines import LineDisplay
from langchain_bedrock_continue._display.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from langchain_core.outputs import LLMResult

logger = logging.getLogger("langchain_bedrock_continue")

Output = Literal["auto", "terminal", "notebook", "lines"]


class _Display(Protocol):
    def start(self, key: Any, run: Run) -> None: ...
    def step(self, run: Run) -> None: ...
    def end(self, key: Any) -> None: ...
    def close(self) -> None: ...


class ContinuationProgress(BaseCallbackHandler):
    """A LangChain callback handler that shows how answers arrive.

        llm.invoke(messages, config={"callbacks": [ContinuationProgress()]})
        agent.invoke(state, config={"callbacks": [ContinuationProgress()]})

    Each run of a chat model is one line: its segments as a bar with a mark at each
    seam, its output tokens, tokens a second, and the tool call that is arriving. Any
    number of runs are shown at once, one below the other. Runs of other chat models are
    shown too, without seams.

    Tokens a second are the output tokens of all calls, divided by the time since the
    run began. While a segment arrives, its tokens are estimated from its characters and
    marked with `~`.

    In a terminal the lines stand below the cursor, so that an answer can be printed
    while it arrives. In a notebook each cell has one card, which is updated in place.
    Elsewhere a line is written when a segment ends. An error of the display is logged
    and never reaches the run.

    Args:
        output: Where to show it. `"auto"` (the default): in a notebook if this process
            is a kernel; else in the terminal of `file`; else as lines.
        file: The stream to write to. Default: standard error; standard output if only
            that is a terminal.
        transient: Whether nothing stays of a run that has ended. Default: False.

    Raises:
        ImportError: The terminal needs the extra `rich`, which is not installed.
        ValueError: `output` is not one of the words above, or it is `"notebook"` and
            this process is no kernel.
    """

    run_inline = True
    """The handler only takes notes: no thread for each token of an async run."""

    def __init__(
        self,
        output: Output = "auto",
        *,
        file: TextIO | None = None,
        transient: bool = False,
    ) -> None:
        """Choose where to show the progress; see the class."""
        super().__init__()
        self._runs: dict[UUID, Run] = {}
        self._lock = threading.Lock()
        self._clock: Callable[[], float] = time.monotonic
        self._failed = False
        self._display = self._display_for(output, file, transient=transient)

    def _display_for(
        self, output: Output, file: TextIO | None, *, transient: bool
    ) -> _Display:
        if output not in {"auto", "terminal", "notebook", "lines"}:
            raise ValueError(
                f"output: {output!r} is not one of auto, terminal, notebook, lines"
            )
        shell = notebook.kernel_shell() if output in {"auto", "notebook"} else None
        if shell is not None and file is None:
            return notebook.NotebookDisplay(shell, self._clock, transient=transient)
        if output == "notebook":
            raise ValueError(
                "output='notebook': this process is not the kernel of a notebook"
            )
        stream = file or _stream()
        if output == "terminal" or (output == "auto" and terminal.can_draw(stream)):
            return terminal.TerminalDisplay(stream, self._clock, transient=transient)
        return LineDisplay(stream, self._clock)

    # What LangChain calls -------------------------------------------------------------

    def on_chat_model_start(  # noqa: D102 - LangChain's
        self,
        serialized: dict[str, Any] | None,
        messages: list[list[Any]],  # noqa: ARG002 - LangChain's
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **_kwargs: Any,
    ) -> None:
        known = metadata or {}
        name = known.get("ls_model_name") or (serialized or {}).get("name")
        self._do(self._start, run_id, name, known.get("ls_max_tokens"))

    def on_llm_new_token(  # noqa: D102 - LangChain's
        self, token: Any, *, chunk: Any = None, run_id: UUID, **_kwargs: Any
    ) -> None:
        run = self._runs.get(run_id)
        if run is not None:
            message = getattr(chunk, "message", None)
            self._do(_receive, run, token if message is None else message.content)

    def on_custom_event(  # noqa: D102 - LangChain's
        self, name: str, data: Any, *, run_id: UUID, **_kwargs: Any
    ) -> None:
        run = self._runs.get(run_id)
        if run is not None and name == "bedrock_continuation":
            self._do(self._continue, run, data)
        elif run is not None and name == "bedrock_tool_call":
            run.tool = data

    def on_llm_end(  # noqa: D102 - LangChain's
        self, response: LLMResult, *, run_id: UUID, **_kwargs: Any
    ) -> None:
        self._do(self._end, run_id, response)

    def on_llm_error(  # noqa: D102 - LangChain's
        self, error: BaseException, *, run_id: UUID, **_kwargs: Any
    ) -> None:
        self._do(self._fail, run_id, error)

    # What is done ---------------------------------------------------------------------

    def _do(self, act: Callable[..., None], *arguments: Any) -> None:
        """Take a note or draw. The first error is logged, and ends the display."""
        if self._failed:
            return
        try:
            act(*arguments)
        except Exception:
            self._failed = True
            with suppress(Exception):
                self._display.close()
            logger.exception("ContinuationProgress shows no more")

    def _start(self, run_id: UUID, model: str | None, limit: int | None) -> None:
        run = Run(model, limit, self._clock())
        with self._lock:
            self._runs[run_id] = run
            self._display.start(run_id, run)

    def _continue(self, run: Run, data: Any) -> None:
        with self._lock:
            if run.continue_with(data):
                self._display.step(run)

    def _end(self, run_id: UUID, response: LLMResult) -> None:
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                run.end(_message_of(response), self._clock())
                self._display.end(run_id)

    def _fail(self, run_id: UUID, error: BaseException) -> None:
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                run.fail(error, self._clock())
                self._display.end(run_id)


def _stream() -> TextIO:
    """Return standard error; standard output if only that is a terminal."""
    streams = [stream for stream in (sys.stderr, sys.stdout) if stream is not None]
    terminals = [stream for stream in streams if stream.isatty()]
    return (terminals or streams)[0]


def _receive(run: Run, content: Any) -> None:
    run.receive(_characters(content))


def _characters(content: Any) -> int:
    """Return the characters of the text and the reasoning in a chunk's content."""
    if isinstance(content, str):
        return len(content)
    return sum(map(_characters_of_block, content))


def _characters_of_block(block: Any) -> int:
    if isinstance(block, str):
        return len(block)
    inner = block.get("reasoning_content")
    texts = [block.get("text"), block.get("reasoning"), block.get("thinking")]
    texts.append(inner.get("text") if isinstance(inner, dict) else None)
    return sum(len(text) for text in texts if isinstance(text, str))


def _message_of(response: LLMResult) -> Any:
    generations = response.generations[0] if response.generations else []
    return getattr(generations[0], "message", None) if generations else None
