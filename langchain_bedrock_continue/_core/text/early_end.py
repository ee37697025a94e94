"""An end of code that a continuation writes although the code isn't complete.

A model may close the code block in which a text was truncated as soon as it continues,
in the middle of a statement: and the stop reason then says that it is done. It may also
go on in a block of its own, or close a JSON document with a bracket too few. `EarlyEnd`
reads the new text after the join.

Example: the text ends in "INSERT INTO books (title,", in an open code block, and the
new text is " author)", a closing fence, and an opening one, "VALUES (".

END-1. Only the first fence after the seam is looked at, and only if the text before
    the seam is in an open code block and the code isn't complete (`open_code`).
END-2. A fence that ends the message is left out: the next segment goes on in the block.
END-3. A fence and the opening one that follows it are left out, unless the block then
    begins again: the first line of the code is not written twice.
END-4. Where other text follows, or the block begins again, the message ends before the
    fence. It ended too early.
END-5. JSON, in a code block or alone, ends before the first character with which it is
    no JSON any more (`json_prefix`), if the text before the seam is JSON.
END-6. All other text is released, in order. Only a line break, backticks after it,
    and what follows such a fence, are withheld.
END-7. On the last try nothing is left out, except by END-9 and END-10. It is only noted
    that the message ended too early, so that the answer does not count as complete.
END-8. The result depends on the text, and not on how it is split into chunks.
END-9. If JSON is wrong within the first AT_SEAM characters of a message that repeats
    nothing, the message does not continue the text, and all of it is left out. The text
    `"mo` is not continued by `"moons": 1`. After a document, its last brackets may come
    again: they alone are left out.
END-10. An unindented fence that opens a block of the same language, in a block whose
    code isn't complete, ends the message as in END-4. If the message begins with it,
    the message does not continue the text, and all of it is left out.
END-11. Whitespace before what is left out is left out, too. Only the line break that
    ends a line of new code is kept: a continuation that does not repeat that line would
    be joined to it.
"""

from __future__ import annotations

import re

from langchain_bedrock_continue._core.text.open_code import is_open_code
from langchain_bedrock_continue._core.text.text_before import TextBefore
from langchain_bedrock_continue._core.text.text_end import without_whitespace

_BRACKETS = re.compile(r"\s*[\]}](?:\s*[\]}])*")
_OPENING = re.compile(r"[ \t]*(?:`{3,}|~{3,})([^\n`]*)\n")
_MAYBE_OPENING = re.compile(r"[ \t]*(?:`{0,2}|~{0,2}|(?:`{3,}|~{3,})[^\n`]*)\Z")

AT_SEAM = 32
"""How many characters of JSON without an echo are withheld at first."""


class EarlyEnd:
    """Reads new text of one message.

    Attributes:
        gave_up: The message ends where the code isn't complete (END-4, END-5).
        left_out: Something of the message was left out.
    """

    def __init__(
        self,
        text: str | TextBefore,
        *,
        is_last_try: bool = False,
        repeats: bool = True,
    ) -> None:
        """Begin after a text.

        Args:
            text: The text before the new text.
            is_last_try: Nothing is left out (END-7).
            repeats: The message repeats an end of the text before the new text.
        """
        self._is_last_try = self._keeps_rest = is_last_try
        self.gave_up = self.left_out = False
        self._pending = ""  # new text that is withheld
        self._has_begun = False  # visible text was released
        before = TextBefore.of(text)
        fence, scan, self._whole = before.scan.fence, before.scan, before.whole
        self._mark = "" if fence is None else fence.mark
        self._start = 0 if fence is None else fence.start  # of the code
        self._language = scan.language
        self._released: list[str] = []
        self._line_is_blank = not scan.code_line.strip()
        self._json = None if scan.json is None else scan.json.copy()
        in_block = fence is not None and fence.end is None
        self._active = in_block or (fence is None and self._json is not None)
        self._at_seam = 0 if repeats or self._json is None else AT_SEAM

    @property
    def _code(self) -> str:
        """The code, with what was released of the message; it takes all of the text."""
        return self._whole()[self._start :] + "".join(self._released)

    @property
    def is_over(self) -> bool:
        """Whether `feed` returns all that follows unchanged, and `finish` nothing."""
        return not self._active and (not self.gave_up or self._keeps_rest)

    def feed(self, new: str) -> str:
        """Take new text; return what is released."""
        if not self._active:
            return new if self.is_over else ""
        self._pending += new
        if len(self._pending) < self._at_seam:
            return ""
        return "" if self._is_wrong_at_seam() else self._steps()

    def finish(self) -> str:
        """Return what is released because the message is over (END-2)."""
        if not self._active or self._is_wrong_at_seam():
            return ""
        return self._steps() + self._last_step()

    def _last_step(self) -> str:
        if not self._active:
            return ""
        pending = self._pending
        start = _blank(pending)
        is_fence = self._begins_line(pending[:start]) and self._is_mark(pending, start)
        if is_fence and self._reopens(pending, start, final=True):
            return self._begin_again()
        end = self._closing_end(pending, start, final=True) if is_fence else 0
        self._active, self._pending = False, ""
        is_early = bool(end) and self._is_open_code()
        self.gave_up = is_early and bool(pending[end:].strip())
        if not is_early or self._is_last_try:
            return pending
        self.left_out = True
        return self._line_break(pending)

    def _is_wrong_at_seam(self) -> bool:
        """Leave everything out if the JSON is wrong at once (END-9)."""
        if self._at_seam and self._json is not None and self._json.is_over:
            self._leave_out_brackets()
        at_seam, self._at_seam = self._pending[: self._at_seam], 0
        if not at_seam or self._json is None:
            return False
        is_wrong = self._json.copy().feed(at_seam) is not None
        if is_wrong:
            self._active, self._pending = False, ""
            self.gave_up = self.left_out = True
            self._keeps_rest = False
        return is_wrong

    def _leave_out_brackets(self) -> None:
        """Leave out brackets that the document already ends with (END-9)."""
        brackets = _BRACKETS.match(self._pending, 0, self._at_seam)
        if brackets is None:
            return
        if without_whitespace(self._code).endswith(without_whitespace(brackets[0])):
            self._pending = self._pending[brackets.end() :]
            self.left_out = True

    # Steps: what is released, or None while more of the text is needed ---------------

    def _steps(self) -> str:
        released = ""
        while self._pending and (step := self._step()) is not None:
            released += step
        return released

    def _step(self) -> str | None:
        indent = len(self._pending) - len(self._pending.lstrip(" \t"))
        if indent and self._pending.startswith("\n", indent):
            return self._release(indent)
        start = _blank(self._pending)
        if self._begins_line(self._pending[:start]):
            if start == len(self._pending):
                return None
            if self._is_mark(self._pending, start):
                return self._fence_step(start)
        line_break = self._pending.find("\n", start)
        return self._release(line_break if line_break >= 0 else len(self._pending))

    def _begins_line(self, blank: str) -> bool:
        return "\n" in blank or self._line_is_blank

    def _is_mark(self, pending: str, at: int) -> bool:
        return bool(self._mark) and pending.startswith(self._mark[0], at)

    def _release(self, count: int) -> str:
        """Release withheld code."""
        released = self._pending[:count]
        wrong = self._json.feed(released) if self._json else None
        if wrong is not None:
            before = released[:wrong]
            is_withheld = not before.strip() and self._begins_line(before)
            closes = released[wrong] in "]}"  # if not, a comma belongs to the line
            kept = self._line_break(before) if closes else ""
            return self._give_up(kept if is_withheld else before)
        self._pending = self._pending[count:]
        self._has_begun = self._has_begun or not released.isspace()
        self._released.append(released)
        _, line_break, line = released.rpartition("\n")
        may_be_blank = bool(line_break) or self._line_is_blank
        self._line_is_blank = may_be_blank and not line.strip()
        return released

    def _fence_step(self, start: int) -> str | None:
        end = self._closing_end(self._pending, start, final=False)
        reopens = self._reopens(self._pending, start, final=False)
        if end is None or reopens is None:
            return None
        if reopens:
            return self._begin_again()
        if not end:
            line_break = self._pending.find("\n", start)
            return self._release(line_break if line_break >= 0 else len(self._pending))
        if not self._is_open_code():
            self._active = False
            released, self._pending = self._pending, ""
            return released
        return self._after_early(start, end)

    def _closing_end(self, pending: str, start: int, *, final: bool) -> int | None:
        """Return where a closing fence ends: 0 if it is none, None if undecided."""
        line, line_break, _ = pending[start:].partition("\n")
        marks = len(line) - len(line.lstrip(self._mark[0]))
        if line[marks:].strip():
            return 0
        if not line_break and not final:
            return None
        closes = marks >= len(self._mark)
        return start + len(line) + len(line_break) if closes else 0

    def _reopens(self, pending: str, start: int, *, final: bool) -> bool | None:
        """Return whether the block is opened again (END-10), None if undecided."""
        line, line_break, _ = pending[start:].partition("\n")
        name = line.lstrip(self._mark[0]).strip().lower()
        is_indented = pending[:start].endswith((" ", "\t"))
        if not name or is_indented or not self._language.startswith(name):
            return False
        if not line_break and not final:
            return None
        return name == self._language and self._is_open_code()

    def _begin_again(self) -> str:
        """End the message before a fence that opens the block again (END-10)."""
        self._is_last_try = self._keeps_rest = self._is_last_try and self._has_begun
        return self._give_up(self._line_break(self._pending))

    def _is_open_code(self) -> bool:
        return is_open_code(self._language, self._code)

    def _after_early(self, start: int, end: int) -> str | None:
        """Decide by what follows a fence that came too early."""
        after = self._pending[end:].lstrip("\n")
        opening = _OPENING.match(after)
        kept = self._line_break(self._pending)
        if opening is None:
            return None if _MAYBE_OPENING.match(after) else self._give_up(kept)
        if opening[1].strip().lower() not in {"", self._language}:
            return self._give_up(kept)
        first = self._code.strip().partition("\n")[0].strip()
        code = after[opening.end() :]
        begun = code.lstrip()
        if begun.startswith(first):
            return self._give_up(kept)
        if first.startswith(begun):
            return None
        self._pending, self.left_out = self._pending[:start] + code, True  # END-3
        return self._release(start)

    def _line_break(self, left_out: str) -> str:
        """Return the line break that is kept of what is left out (END-11)."""
        blank = left_out[: _blank(left_out)]
        return blank[: blank.rfind("\n") + 1] if self._has_begun else ""

    def _give_up(self, before: str) -> str:
        """End the message after a part of what is withheld (END-4, END-5)."""
        pending, self._pending = self._pending, ""
        self._active, self.gave_up = False, True
        if self._is_last_try:
            return pending
        self.left_out = True
        return before


def _blank(text: str) -> int:
    """Return how much whitespace a text begins with."""
    return len(text) - len(text.lstrip())
