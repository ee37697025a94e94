"""Which form of a user turn is sent, and which comes next if it did not work.

FORM-1. A seam is asked for in at most MAX_TRIES forms, one after the other.
FORM-2. The form that worked is the first one for the rest of the turn. For the model,
    it is the first one in this process once it has worked in PROVEN_TURNS turns, one
    after the other, in which our own first form did not. One turn proves little: the
    other forms make models end too early (`make seams-real`).
FORM-3. The caller's `continuation_prompt` is always the first form. The others are the
    package's own.
FORM-4. If no form makes a model repeat the end of the text, the turn does not ask again
    for that reason: it would cost the same calls at each seam.
FORM-5. If every form failed at a seam, the later seams of the turn are asked for once.
FORM-6. If a form repeats a cycle, one other form is tried at this seam. A model that
    runs in a circle does so in every form, and each try costs a call.
FORM-7. Only the first form says in so many words that the rest of the reply is wanted.
    After any other one, a model that ends in the line in which the text was truncated
    may have done no more than it was asked for. So it is asked again, in the first
    form (`make seams-real`: 9 of 14 answers to "rewrite the last line" end too early).
"""

from __future__ import annotations

from langchain_bedrock_continue._core.decisions.vocabulary import Form, Problem

MAX_TRIES = 3

ORDER = (Form.COPY, Form.LAST_LINE, Form.WITHOUT_ECHO)
"""Our own forms; the first one works best (`make seams-real`)."""

PROVEN_TURNS = 2

_working: dict[str, tuple[Form, int]] = {}
"""By model: the form that worked where the first one did not, and in how many turns."""


class Forms:
    """The forms of one turn.

    Attributes:
        current: The form of the next user turn, or of the one under way.
    """

    def __init__(self, model_id: str, *, callers: bool = False) -> None:
        """Begin with the form that worked for the model.

        Args:
            model_id: The model's id; nothing is remembered if it is empty.
            callers: The caller gave a `continuation_prompt`.
        """
        self._model_id = model_id
        self._own = (Form.CALLERS,) if callers else ()
        self.current = self._order(_first_form(model_id))[0]
        self._tried: list[Form] = []
        self._never_echoes = False
        self._all_failed = False
        self._in_cycle = False
        self._asks_for_more = False
        self._has_counted = False

    @property
    def has_next(self) -> bool:
        """Whether there is another form for this seam (FORM-1, FORM-6, FORM-7)."""
        is_over = self._all_failed or self._in_cycle or self._asks_for_more
        return not is_over and len(self._tried) + 1 < MAX_TRIES

    @property
    def may_end_in_line(self) -> bool:
        """Whether an answer that ends in the line of the seam is taken for complete."""
        is_clear = self.current in {ORDER[0], Form.CALLERS}
        return is_clear or not self.has_next

    @property
    def needs_echo(self) -> bool:
        """Whether an answer without an echo is refused at this seam (FORM-4)."""
        return self.has_next and not self._never_echoes

    def begin_seam(self) -> None:
        """Begin with a new seam."""
        self._tried, self._in_cycle, self._asks_for_more = [], False, False

    def use_next(self, problem: Problem) -> None:
        """Change to the next form, because the current one did not work.

        Args:
            problem: What was wrong with the answer.
        """
        self._tried.append(self.current)
        self._asks_for_more = problem is Problem.ENDED_IN_LINE
        if self._asks_for_more:
            self.current = ORDER[0]
            return
        untried = [one for one in self._order(ORDER[0]) if one not in self._tried]
        self.current = untried[0]
        self._in_cycle = problem is Problem.CYCLE
        if problem is Problem.NO_ECHO and not self.has_next:
            self._never_echoes = True

    def note_failure(self) -> None:
        """Note that every form failed at this seam (FORM-5)."""
        self._all_failed = True

    def note_success(self, *, proven: bool) -> None:
        """Remember whether the current form worked where another one failed (FORM-2).

        Args:
            proven: The answer repeats the end of the text, so it is known to go on.
        """
        is_own = self._model_id and self.current is not Form.CALLERS
        if not (proven and is_own):
            return
        if self.current is ORDER[0]:
            _working.pop(self._model_id, None)
        elif self._tried and not self._has_counted:
            form, turns = _working.get(self._model_id, (self.current, 0))
            turns = turns + 1 if form is self.current else 1
            _working[self._model_id] = self.current, turns
            self._has_counted = True

    def _order(self, first: Form) -> tuple[Form, ...]:
        own = [first, *(form for form in ORDER if form is not first)]
        return (*self._own, *own)[:MAX_TRIES]


def _first_form(model_id: str) -> Form:
    form, turns = _working.get(model_id, (ORDER[0], 0))
    return form if turns >= PROVEN_TURNS else ORDER[0]


def forget_forms() -> None:
    """Forget which forms worked. Tests call it."""
    _working.clear()
