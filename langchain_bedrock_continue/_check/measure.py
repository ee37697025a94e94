"""The calls of `check`: one cut an answer, continued by prefill and in a user turn.

Each prompt is answered with a small `max_tokens` and not continued. The truncated
answer is then resumed twice, with room for all the rest: by prefill, and in a user
turn. So both continue the same text, and the prefill shows how the model itself goes
on. Only the package's public names are used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue import ChatBedrockContinuing, SegmentError
from langchain_bedrock_continue._check import figures
from langchain_bedrock_continue._check.well_formed import well_formed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_bedrock_continue._check.prompts import Prompt
    from langchain_bedrock_continue._check.well_formed import Kind

Strategy: TypeAlias = Literal["prefill", "user_turn"]

REST = 256
"""`max_tokens` of a continuation: more than any of the prompts' answers has left."""

MOST_CALLS = 3
"""Most calls of a continuation: the package may ask again."""

MOST_TOKENS = 2 * REST
"""Most output tokens of a continuation, over its calls."""

_REFUSAL = "ValidationException"
"""The code of a refused prefill, whatever its text says."""


@dataclass(frozen=True)
class Measured:
    """One truncated answer that was continued.

    Attributes:
        strategy: How it was continued.
        kind: What was asked for.
        natural: See FIGURES-1; None if there is no prefill to compare with.
        doubled: See FIGURES-2.
        early: Why it ended early; empty if it did not.
        echo: Whether the quote was repeated as requested; None after a prefill.
        malformed: What is wrong with its form; empty if nothing is.
        extra_calls: Calls beyond the one that a continuation takes.
        input_tokens: Input tokens of the continuation.
        output_tokens: Output tokens of the continuation.
    """

    strategy: Strategy
    kind: Kind
    natural: bool | None
    doubled: bool
    early: str
    echo: bool | None
    malformed: str
    extra_calls: int
    input_tokens: int
    output_tokens: int


@dataclass
class Measurement:
    """All that was measured of a model.

    Attributes:
        continued: The continued answers.
        not_truncated: How many answers were not truncated, and so not continued.
        refusal: Why the model takes no prefill; empty if it takes one.
    """

    continued: list[Measured] = field(default_factory=list)
    not_truncated: int = 0
    refusal: str = ""


def measure(
    arguments: dict[str, Any], prompts: Sequence[Prompt], max_tokens: int
) -> Iterator[Measurement]:
    """Measure a model, prompt by prompt.

    Args:
        arguments: The model's arguments: its id, and its endpoint.
        prompts: What to ask.
        max_tokens: Where to truncate the answers.

    Yields:
        The same measurement after each prompt.

    Raises:
        Exception: A call failed, as from ChatBedrockContinuing.
    """
    measurement = Measurement()
    first = _model(arguments, max_tokens=max_tokens, max_continuations=0)
    for prompt in prompts:
        partial = first.invoke(prompt.text)
        if partial.response_metadata["continuation"]["complete"]:
            measurement.not_truncated += 1
        else:
            _continue_both(arguments, prompt, partial, measurement)
        yield measurement


def _continue_both(
    arguments: dict[str, Any],
    prompt: Prompt,
    partial: AIMessage,
    measurement: Measurement,
) -> None:
    prefilled: AIMessage | None = None
    if not measurement.refusal:
        try:
            prefilled = _continued(arguments, prompt, partial, "prefill")
        except SegmentError as error:
            if _REFUSAL not in str(error):
                raise
            measurement.refusal = " ".join(str(error).split())
    asked = _continued(arguments, prompt, partial, "user_turn")
    if prefilled is not None:
        one = _measured(prompt, partial, prefilled, prefilled, "prefill")
        measurement.continued.append(one)
    one = _measured(prompt, partial, asked, prefilled, "user_turn")
    measurement.continued.append(one)


def _continued(
    arguments: dict[str, Any], prompt: Prompt, partial: AIMessage, strategy: Strategy
) -> AIMessage:
    written = partial.response_metadata["continuation"]["billed"]
    spent = written["output_tokens"] if written else 0
    llm = _model(
        arguments,
        max_tokens=REST,
        max_continuations=MOST_CALLS,
        max_total_tokens=spent + MOST_TOKENS,
        strategy=strategy,
    )
    return llm.resume([HumanMessage(prompt.text)], partial)


def _model(arguments: dict[str, Any], **more: Any) -> ChatBedrockContinuing:
    return ChatBedrockContinuing(**arguments, **more, temperature=0)


def _measured(
    prompt: Prompt,
    partial: AIMessage,
    message: AIMessage,
    prefilled: AIMessage | None,
    strategy: Strategy,
) -> Measured:
    continuation = message.response_metadata["continuation"]
    segments = continuation["segments"][1:]
    rules = [one["join"]["rule"] for one in segments if "join" in one]
    text, uncut = message.text, prefilled.text if prefilled else ""
    by_model = bool(continuation["complete"])
    in_user_turn = strategy == "user_turn"
    return Measured(
        strategy=strategy,
        kind=prompt.kind,
        natural=_natural(partial.text, text, uncut) if in_user_turn else None,
        doubled=figures.doubled(text, len(partial.text.rstrip())),
        early=figures.early(prompt.kind, text, uncut, by_model=by_model),
        echo=any(map(figures.echo_obeyed, rules)) if in_user_turn else None,
        malformed=well_formed(prompt.kind, text).reason,
        extra_calls=len(segments) - 1,
        input_tokens=sum(one["input_tokens"] or 0 for one in segments),
        output_tokens=sum(one["output_tokens"] or 0 for one in segments),
    )


def _natural(before: str, text: str, prefilled: str) -> bool | None:
    """Compare both continuations, unless the prefill left the truncated text."""
    body = before.rstrip()
    if not prefilled.startswith(body):
        return None
    return figures.natural(before, text[len(body) :], prefilled[len(body) :])
