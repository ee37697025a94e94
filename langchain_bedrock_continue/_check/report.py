"""The texts of `check`: what it will cost, and what it found. No I/O.

REPORT-1. The estimate comes before the first call, and names input and output tokens.
REPORT-2. A figure that can't be measured is a dash, and a line says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_bedrock_continue._check.measure import MOST_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_bedrock_continue._check.measure import Measured, Measurement

_ANSWER = 180
"""Tokens of a typical answer."""

_PROMPT = 25
_WORDING = 110
"""Tokens of a prompt, and of the user turn that asks to continue."""


def estimate(prompts: int, max_tokens: int) -> str:
    """Say about how many tokens the command takes (REPORT-1).

    Args:
        prompts: How many prompts there are.
        max_tokens: Where the answers are truncated.
    """
    rest = max(0, _ANSWER - max_tokens)
    first, more = max_tokens, rest + _WORDING // 4
    output = prompts * (first + rest + more)
    most = prompts * (max_tokens + 2 * MOST_TOKENS)
    tokens = 3 * _PROMPT + 2 * max_tokens + _WORDING
    return (
        f"{prompts} prompts, {3 * prompts} calls: about {_rounded(prompts * tokens)} "
        f"input tokens and {_rounded(output)} output tokens; at most {_rounded(most)} "
        "output tokens if the model does not end its answers."
    )


def _rounded(tokens: int) -> str:
    return f"{round(tokens, -2) or tokens:,}"


_COLUMNS: dict[str, Callable[[Sequence[Measured]], str]] = {
    "answers": lambda some: str(len(some)),
    "natural": lambda some: _share([one.natural for one in some]),
    "doubled": lambda some: _share([one.doubled for one in some]),
    "early": lambda some: _share([bool(one.early) for one in some]),
    "echo": lambda some: _share([one.echo for one in some]),
    "well formed": lambda some: _share([not one.malformed for one in some]),
    "extra calls": lambda some: f"{_mean([one.extra_calls for one in some]):.2f}",
    "input": lambda some: f"{_mean([one.input_tokens for one in some]):.0f}",
    "output": lambda some: f"{_mean([one.output_tokens for one in some]):.0f}",
}
"""The figures. Tokens are those of a continuation, on average."""

_NAMES = {"prefill": "prefill", "user_turn": "user turn"}


def report(measurement: Measurement, max_tokens: int) -> str:
    """Return the table and what is to be said about it.

    Args:
        measurement: What was measured.
        max_tokens: Where the answers were truncated.
    """
    lines = [*_table(measurement.continued)] if measurement.continued else []
    notes = [*_notes(measurement, max_tokens), *_faults(measurement.continued)]
    return "\n".join([*lines, *([""] if lines and notes else []), *notes])


def _table(continued: Sequence[Measured]) -> list[str]:
    head = "".join(f"{name:>13}" for name in _COLUMNS)
    lines = [" " * 9 + head]
    for strategy, name in _NAMES.items():
        some = [one for one in continued if one.strategy == strategy]
        cells = (column(some) if some else "-" for column in _COLUMNS.values())
        lines.append(name.ljust(9) + "".join(f"{cell:>13}" for cell in cells))
    return lines


def _notes(measurement: Measurement, max_tokens: int) -> list[str]:
    notes = []
    if measurement.refusal:
        notes.append(
            "natural can't be measured: the model takes no prefill to compare with. "
            f"It said: {measurement.refusal}"
        )
    elif measurement.continued:
        notes.append(
            "natural compares the user turn with the prefill, which has no figure of "
            "its own."
        )
    if measurement.not_truncated:
        notes.append(
            f"Not truncated at {max_tokens} tokens, so not counted: "
            f"{measurement.not_truncated} of the answers. "
            f"A smaller --max-tokens truncates "
            "more of them."
        )
    return notes


def _faults(continued: Sequence[Measured]) -> list[str]:
    """Return a line for each answer that has a fault."""
    return [
        f"{_NAMES[one.strategy]}, {one.kind}: {'; '.join(faults)}"
        for one in continued
        if (faults := _faults_of(one))
    ]


def _faults_of(one: Measured) -> list[str]:
    early = f"ended early ({one.early})" if one.early else ""
    malformed = "" if one.early else one.malformed
    return [
        fault for fault in ("doubled" if one.doubled else "", early, malformed) if fault
    ]


def _share(values: Sequence[bool | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.2f}" if known else "-"


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)
