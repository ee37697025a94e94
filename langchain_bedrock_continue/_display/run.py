"""A run of a chat model, as its callbacks tell it. No I/O and no clock.

RUN-1. The tokens of a finished segment are those that the service reports. Those of the
    running one are estimated from its characters, and replaced when it has ended.
RUN-2. A response is counted once, however many events name it.
RUN-3. After the end, all numbers are those of the message's metadata.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from langchain_bedrock_continue._display.bar import Part, merged, parts_of
from langchain_bedrock_continue._display.words import (
    NOTES,
    count,
    one_line,
    seconds,
    short_model,
    why_ended,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_bedrock_continue._core.record.continuation import SegmentEntry

CHARACTERS_A_TOKEN = 4.0
"""How many characters a token has before a segment of the run tells better: about what
English has in the vocabularies of language models."""

State = Literal["running", "complete", "incomplete", "failed", "closed"]


@dataclass
class Run:
    """A run of a chat model.

    Attributes:
        model: The model id, or None if it is not known.
        limit: The `max_tokens` of the first call, or None.
        began: When it began, in seconds.
        segments: The responses that have ended, those of a resumed turn included.
        earlier: How many of them are of the turn that this run resumes.
        characters: How many characters have arrived.
        counted: How many of them are of segments that have ended.
        tool: The tool call that is arriving, or None.
        note: What the running call is made for, if it is not the usual.
        replaces: Whether the running call replaces the last segment.
        state: What became of it.
        ended: When it ended, in seconds, or None.
        reason: Why it is not complete, in a few words; empty if it is.
    """

    model: str | None
    limit: int | None
    began: float
    segments: list[SegmentEntry] = field(default_factory=list)
    earlier: int = 0
    characters: int = 0
    counted: int = 0
    tool: Mapping[str, Any] | None = None
    note: str = ""
    replaces: bool = False
    state: State = "running"
    ended: float | None = None
    reason: str = ""

    # What happens ---------------------------------------------------------------------

    def receive(self, characters: int) -> None:
        """Count what a chunk brings.

        Args:
            characters: The characters of its text and its reasoning.
        """
        if characters:
            self.characters += characters
            self.tool, self.note = None, ""

    def continue_with(self, event: Mapping[str, Any]) -> bool:
        """Take the event before a call.

        Args:
            event: The data of a `bedrock_continuation` event.

        Returns:
            Whether a segment has ended that was not counted before (RUN-2).
        """
        entry: SegmentEntry = event["segment"]
        self.note = NOTES.get(event["type"], event["type"])
        self.tool, self.replaces = None, event["type"] in {"retry", "asked_again"}
        if problem := entry.get("problem"):
            self.note = f"asking again: {problem}"
        elif event["type"] == "recovery" and "error" in entry:
            self.note = f"recovering from {entry['error']}"
        if event["type"] == "resume":
            self.segments, self.earlier = [entry], 1
        elif self.segments and self.segments[-1] == entry:
            return False
        else:
            self.segments.append(entry)
        self.counted = self.characters
        return True

    def end(self, message: Any, now: float) -> None:
        """Take the finished message (RUN-3).

        Args:
            message: The run's message.
            now: The time, in seconds.
        """
        metadata = getattr(message, "response_metadata", None) or {}
        turn = metadata.get("continuation")
        self.state, self.ended = "complete", now
        if turn is None:
            self._end_of_another_model(getattr(message, "usage_metadata", None))
            return
        self._take_segments(turn["segments"])
        if not turn["complete"]:
            self.state, self.reason = "incomplete", turn["ended_by"] or "unknown"

    def fail(self, error: BaseException, now: float) -> None:
        """Take the error that ended the run.

        Args:
            error: The error; a GeneratorExit or a cancellation closes the run.
            now: The time, in seconds.
        """
        closed = not isinstance(error, Exception)
        self.state, self.ended = "closed" if closed else "failed", now
        segments = getattr(error, "segments", None)
        if isinstance(segments, list):
            self._take_segments(segments)
        name = type(error).__name__
        self.reason = "" if closed else f"{name}: {one_line(str(error))}"

    def _take_segments(self, segments: list[SegmentEntry]) -> None:
        if self.earlier:
            resumed = self.segments[0]
            self.earlier = segments.index(resumed) + 1 if resumed in segments else 0
        self.segments, self.counted = list(segments), self.characters
        self.tool, self.note = None, ""

    def _end_of_another_model(self, usage: Any) -> None:
        if isinstance(usage, dict) and "output_tokens" in usage:
            only: Any = {"output_tokens": usage["output_tokens"], "strategy": None}
            self.segments, self.counted = [only], self.characters

    # What it shows --------------------------------------------------------------------

    @property
    def label(self) -> str:
        """The model's short name."""
        return short_model(self.model)

    @property
    def written(self) -> int:
        """The output tokens of this run so far (RUN-1)."""
        return self._known() + self._estimate()

    @property
    def is_estimate(self) -> bool:
        """Whether a part of `written` is estimated."""
        return self._estimate() > 0

    def _known(self) -> int:
        return sum(one["output_tokens"] or 0 for one in self.segments[self.earlier :])

    def _estimate(self) -> int:
        known, ratio = self._known(), CHARACTERS_A_TOKEN
        if known and self.counted:
            ratio = max(1.0, self.counted / known)
        return round((self.characters - self.counted) / ratio)

    def parts(self) -> list[Part]:
        """Return the run as a bar: what is written, and what the call may write."""
        parts = parts_of(self.segments)
        if self.state == "running" and self.replaces and parts:
            parts[-1] = replace(parts[-1], kind="replaced")
        number, written = len(self.segments) + 1, self._estimate()
        if written:
            parts.append(Part(written, "text", number, seam=bool(parts)))
        if self.state != "running":
            return merged(parts)
        last = self.segments[-1]["max_tokens"] if self.segments else None
        rest = max(1, (last or self.limit or written * 2 or 1) - written)
        parts.append(Part(rest, "open", number, seam=bool(parts) and not written))
        return merged(parts)

    def facts(self, now: float) -> list[str]:
        """Return what is known of the run, in a few words each.

        Args:
            now: The time, in seconds.
        """
        running = self.state == "running"
        ended = len(self.segments)
        size = f"segment {ended + 1}" if running else count(ended, "segment")
        facts = [size] if running or ended else []
        duration = (now if self.ended is None else self.ended) - self.began
        if written := self.written:
            facts.append(count(written, "token", about=self.is_estimate))
            if duration > 0:
                facts.append(f"{written / duration:,.0f} tok/s")
        facts.append(seconds(duration))
        return facts

    def doing(self) -> str:
        """Return what the run is doing, or why it ended; empty for the usual."""
        if self.tool is not None:
            name = self.tool.get("name") or "tool"
            arguments = count(self.tool.get("characters") or 0, "character")
            return f"calling {name}({arguments}…)"
        return {
            "running": self.note,
            "complete": "",
            "incomplete": f"incomplete: {self.reason}",
            "failed": self.reason,
            "closed": "closed",
        }[self.state]

    def step(self) -> str:
        """Return one line about the segment that has just ended."""
        if not self.segments:
            return self.note
        last = self.segments[-1]
        tokens = count(last["output_tokens"] or 0, "token")
        then = self.note or "continuing"
        return f"segment {len(self.segments)}: {why_ended(last)}, {tokens}; {then}"
