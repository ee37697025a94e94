"""A seam costs the same after a page and after a book, without a clock.

What one segment costs is counted: the calls of functions, the characters that the
core's functions are handed, and the memory that is taken at most.
"""

import gc
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from types import FrameType

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue._core.request.composer import SegmentRequest
from langchain_bedrock_continue._core.request.prompts import DEFAULT_PROMPT
from langchain_bedrock_continue._core.turn import Turn
from tests.support.responses import complete_message, streamed_chunks
from tests.support.turns import QUESTION, policy

BEFORE_QUOTE = len(DEFAULT_PROMPT.partition("{tail}")[0])
AFTER_QUOTE = len(DEFAULT_PROMPT.partition("{tail}")[2])


@dataclass
class Cost:
    """What a segment costs."""

    calls: int = 0
    characters: int = 0
    memory: int = 0


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what the code in the block costs."""
    cost = Cost()

    def count(frame: FrameType, event: str, _called: object) -> None:
        cost.calls += event in {"call", "c_call"}
        if event == "call" and "bedrock_continue/_core" in frame.f_code.co_filename:
            given = frame.f_locals.values()
            cost.characters += sum(len(one) for one in given if type(one) is str)

    gc.collect()
    gc.disable()
    tracemalloc.start()
    sys.setprofile(count)
    try:
        yield cost
    finally:
        sys.setprofile(None)
        cost.memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        gc.enable()


LINES = {
    "prose": ("", "The {} of {} had {} to {}, where {} was {} by {}.\n\n"),
    "json": ("[\n", '  {{"{}": "{} {}", "{}": ["{}", "{}", "{}"]}},\n'),
    "code": (
        "Here is the code:\n\n```python\n",
        "def f_{}(x):\n    y = {} + {}(x)\n    return {}({}, {}, {})\n\n\n",
    ),
    "table": (
        "| what | who | when | how |\n|---|---|---|---|\n",
        "| {} {} | {} | {} | {} {} {} |\n",
    ),
    "one line": ("", "{} and {} or {} by {}, {} for {}; {} "),
}
"""The start of each kind of answer, and its lines."""

LINES_OF_SEGMENT = 6

LETTERS = str.maketrans("0123456789", "ghijklmnop")


def answer_of(kind: str, lines: int) -> str:
    """Return a long answer. All lines are of the same length, and no two alike."""
    random = Random(7)  # noqa: S311 - reproducible, not secret
    start, line = LINES[kind]
    parts = [start]
    for _ in range(lines):
        letters = f"{random.getrandbits(196):049x}".translate(LETTERS)
        parts.append(line.format(*(letters[at : at + 7] for at in range(0, 49, 7))))
    return "".join(parts)


class Model:
    """Continues its answer in either strategy; it repeats what it is asked to."""

    def __init__(self, kind: str, lines: int, segments: int, *, streamed: bool) -> None:
        """Begin with an answer, of which so many lines are written, but a few words."""
        self._answer = answer_of(kind, lines + segments * LINES_OF_SEGMENT)
        self._size = LINES_OF_SEGMENT * len(LINES[kind][1].format(*["seven  "] * 7))
        self._at = len(answer_of(kind, lines)) - 20
        self._streamed = streamed

    @property
    def begun(self) -> str:
        """What is written."""
        return self._answer[: self._at]

    def __call__(self, request: SegmentRequest) -> list[AIMessage]:
        """Return the response to a request."""
        last, echo = request.messages[-1], ""
        if isinstance(last, AIMessage):
            self._at = len(last.text)
        else:
            echo = last.text[BEFORE_QUOTE:-AFTER_QUOTE]
            self._at = self._answer.index(echo, self._at - self._size) + len(echo)
        new = self._answer[self._at : self._at + self._size]
        blocks = [{"type": "text", "text": echo + new}]
        if self._streamed:
            return list(streamed_chunks(blocks, "max_tokens", 100))
        return [complete_message(blocks, "max_tokens")]


def cost_of_last_segment(model: Model, strategy: str, segments: int) -> Cost:
    """Return what the last of so many segments costs."""
    partial = AIMessage(model.begun, response_metadata={"stopReason": "max_tokens"})
    turn = Turn(QUESTION, {}, policy(strategy, max_tokens=100), partial=partial)
    requests = turn.requests()
    for _ in range(segments - 1):
        _receive(turn, model(next(requests)))
    response = model(next(requests))
    with counted() as cost:
        _receive(turn, response)
        next(requests)
    assert len(turn.content) > len(model.begun)
    return cost


def _receive(turn: Turn, response: list[AIMessage]) -> None:
    for message in response:
        turn.receive(message)
    turn.end_segment()


SHORT, LONG = 1_000, 2_500
"""Texts before the segment, in lines. Both are longer than what is compared."""

SLACK = 40_000
"""What lists of segments may take, in bytes: far less than a copy of the text."""


@pytest.mark.parametrize(
    ("strategy", "kind", "segments", "streamed"),
    [
        ("prefill", "prose", (60, 200), False),
        ("prefill", "prose", (3, 4), True),
        ("user_turn", "prose", (3, 4), True),
        ("user_turn", "json", (3, 4), False),
        ("user_turn", "code", (3, 4), True),
        ("user_turn", "table", (3, 4), False),
        ("user_turn", "one line", (60, 120), False),
    ],
)
def test_a_segment_costs_the_same_after_a_long_text(
    strategy: str, kind: str, segments: tuple[int, int], *, streamed: bool
) -> None:
    first, later = segments
    before = Model(kind, SHORT, first, streamed=streamed)
    short = cost_of_last_segment(before, strategy, first)
    after = Model(kind, LONG, later, streamed=streamed)
    long = cost_of_last_segment(after, strategy, later)
    assert long.calls < 1.1 * short.calls + 50
    assert long.characters < 1.1 * short.characters
    request = (
        len(after.begun) - len(before.begun) if strategy == "prefill" else 0
    )  # the text, once
    assert long.memory < short.memory + request + SLACK
