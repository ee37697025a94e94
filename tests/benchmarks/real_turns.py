"""Complete turns of a real model, by prefill and by user turn, beside the uncut answer.

Only the package's public names are used, and its metadata is read as it is, so that
another version of it can be measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue import ChatBedrockContinuing, ContinuationError
from langchain_bedrock_continue._check import figures
from langchain_bedrock_continue._check.well_formed import well_formed
from tests.benchmarks.real_answers import MODEL, bare_model, client_kwargs, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_bedrock_continue._check.well_formed import Kind
    from langchain_bedrock_continue.local import LocalBedrock
    from tests.benchmarks.real_answers import Answers, Question, Uncut

Strategy: TypeAlias = Literal["prefill", "user_turn"]
STRATEGIES: tuple[Strategy, ...] = ("prefill", "user_turn")

SPARE_CALLS = 4
"""Calls beyond twice the uncut answer's: a model may write more in a user turn."""

PREFILLED_TOKENS = 10
"""Tokens of a prefill's continuation: at least the characters that are compared."""

BACK = 60
"""How many characters a prefill may give back where a text ends in whitespace."""


@dataclass(frozen=True)
class MeasuredSeam:
    """A seam of a turn.

    Attributes:
        at: Offset in the answer, in characters.
        natural: See FIGURES-1.
        healed: The same, or the prefill that is given back to the last blank writes so.
        doubled: See FIGURES-2.
        repeated: See FIGURES-2.
    """

    at: int
    natural: bool
    healed: bool
    doubled: bool
    repeated: bool


@dataclass(frozen=True)
class MeasuredTurn:
    """What one turn did.

    Attributes:
        strategy: How it was continued.
        kind: What was asked for.
        prompt: The prompt.
        max_tokens: The size of a segment.
        text: The answer.
        uncut: The answer in one response.
        ended_by: What ended it; the class of the error if one did.
        complete: Whether it counts as complete.
        seams: Its seams.
        rules: The join rules of its segments, where they have one.
        problems: Why a segment was refused, or ended early: its form, and the problem.
        early: Why it ended early; empty if it did not.
        malformed: What is wrong with its form; empty if nothing is.
        calls: How many calls it made.
        extra_calls: Calls beyond those that the uncut answer takes.
        output_tokens: Output tokens of all calls.
        uncut_tokens: Output tokens of the uncut answer.
    """

    strategy: Strategy
    kind: Kind
    prompt: str
    max_tokens: int
    text: str
    uncut: str
    ended_by: str
    complete: bool
    seams: list[MeasuredSeam]
    rules: list[str]
    problems: list[str]
    early: str
    malformed: str
    calls: int
    extra_calls: int
    output_tokens: int
    uncut_tokens: int


def turns(
    bedrock: LocalBedrock,
    answers: Answers,
    question: Question,
    sizes: Sequence[int],
    strategies: Sequence[Strategy],
) -> Iterator[MeasuredTurn]:
    """Answer a question with every strategy and size that truncates it."""
    uncut = answers.uncut(question.prompt)
    for strategy in strategies:
        for size in sizes:
            if uncut.tokens > size:
                yield _turn(bedrock, question, uncut, size, strategy)


def _turn(
    bedrock: LocalBedrock, question: Question, uncut: Uncut, size: int, way: Strategy
) -> MeasuredTurn:
    needed = math.ceil(uncut.tokens / size)
    llm = ChatBedrockContinuing(
        model=MODEL,
        strategy=way,
        max_tokens=size,
        max_continuations=2 * needed + SPARE_CALLS,
        temperature=0,
        **client_kwargs(bedrock),
    )
    message, error = _answered(llm, question.prompt)
    continuation: dict[str, Any] = message.response_metadata.get("continuation", {})
    segments = continuation.get("segments", [])
    ended_by = error or str(continuation.get("ended_by"))
    complete = bool(continuation.get("complete"))
    text = message.text
    return MeasuredTurn(
        strategy=way,
        kind=question.kind,
        prompt=question.prompt,
        max_tokens=size,
        text=text,
        uncut=uncut.text,
        ended_by=ended_by,
        complete=complete,
        seams=list(_seams(bedrock, question, text, continuation.get("seams", []))),
        rules=[one["join"]["rule"] for one in segments if one.get("join")],
        problems=[
            f"{one.get('form')}: {one['problem']}"
            for one in segments
            if one.get("problem")
        ],
        early=figures.early(question.kind, text, uncut.text, by_model=complete),
        malformed=well_formed(question.kind, text).reason,
        calls=len(segments),
        extra_calls=len(segments) - needed,
        output_tokens=sum(one.get("output_tokens") or 0 for one in segments),
        uncut_tokens=uncut.tokens,
    )


def _answered(llm: ChatBedrockContinuing, prompt: str) -> tuple[AIMessage, str]:
    """Return the answer, or what arrived of it and the class of the error."""
    try:
        return llm.invoke(prompt), ""
    except ContinuationError as error:
        return error.partial, type(error).__name__


def _seams(
    bedrock: LocalBedrock, question: Question, text: str, places: Sequence[int]
) -> Iterator[MeasuredSeam]:
    for at, end in zip(places, [*places[1:], len(text)], strict=True):
        before, after = text[:at], text[at:]
        prefilled = _naturally(bedrock, question, before, after)
        natural = next(prefilled)
        yield MeasuredSeam(
            at=at,
            natural=natural,
            healed=natural or any(prefilled),
            doubled=figures.doubled(text, at),
            repeated=figures.repeated(text, at, end),
        )


def _naturally(
    bedrock: LocalBedrock, question: Question, before: str, after: str
) -> Iterator[bool]:
    """Yield whether a prefill of the text before the seam writes the text after it.

    A seam may be inside a token: a text ends in `,`, and the model writes a comma and
    the line break after it as one token. So the text is also given back to its last
    blank, as far as the model then writes the same again. The first answer is that of
    the text as it is, or of both ways if it ends in whitespace, as no prefill may.
    """
    body = before.rstrip()
    blank = body[: body.rfind(" ", max(0, len(body) - BACK))]
    found = (
        _writes(bedrock, question, prefill, before, after) for prefill in (body, blank)
    )
    yield any(found) if before != body else next(found)
    yield from found


def _writes(
    bedrock: LocalBedrock, question: Question, prefill: str, before: str, after: str
) -> bool:
    """Return True if a prefill writes the text around a seam."""
    body = before.rstrip()
    if not prefill.strip():
        return False
    tokens = PREFILLED_TOKENS + len(body) - len(prefill)
    messages = [HumanMessage(question.prompt), AIMessage(prefill.rstrip())]
    written = prefill.rstrip() + bare_model(bedrock, tokens).invoke(messages).text
    if not written.startswith(body):
        return False
    return figures.natural(before, before[len(body) :] + after, written[len(body) :])


_HEAD = (
    *("turns", "seams", "natural", "healed", "doubled", "repeated", "echo", "early"),
    *("formed", "incompl", "same", "calls+", "tokens+"),
)
_NAME = 14


def turn_table(measured: Sequence[MeasuredTurn]) -> str:
    """Return the figures of the turns: a line a strategy and size, and their sum.

    `calls+` is calls a turn beyond those of the uncut answer; `tokens+` is output
    tokens beyond the uncut answer's, as a share of them.
    """
    lines = ["".ljust(_NAME) + "".join(f"{head:>9}" for head in _HEAD)]
    for strategy in dict.fromkeys(turn.strategy for turn in measured):
        mine = [turn for turn in measured if turn.strategy == strategy]
        for size in sorted({turn.max_tokens for turn in mine}):
            some = [turn for turn in mine if turn.max_tokens == size]
            lines.append(_line(f"{strategy} {size}", some))
        lines.append(_line(strategy, mine))
    return "\n".join(lines)


def _line(name: str, some: Sequence[MeasuredTurn]) -> str:
    seams = [seam for turn in some for seam in turn.seams]
    extra = sum(turn.output_tokens - turn.uncut_tokens for turn in some)
    uncut = sum(turn.uncut_tokens for turn in some)
    cells = [
        str(len(some)),
        str(len(seams)),
        share([seam.natural for seam in seams]),
        share([seam.healed for seam in seams]),
        share([seam.doubled for seam in seams]),
        share([seam.repeated for seam in seams]),
        share([figures.echo_obeyed(rule) for turn in some for rule in turn.rules]),
        share([bool(turn.early) for turn in some]),
        share([not turn.malformed for turn in some]),
        share([not turn.complete for turn in some]),
        share([turn.text == turn.uncut for turn in some]),
        f"{sum(turn.extra_calls for turn in some) / len(some):.2f}",
        f"{extra / uncut:.2f}",
    ]
    return name.ljust(_NAME) + "".join(f"{cell:>9}" for cell in cells)
