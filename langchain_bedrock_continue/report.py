"""What a continued answer took, and what it cost: `ContinuationReport`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Self

from langchain_core.messages.ai import AIMessage, UsageMetadata

from langchain_bedrock_continue._core.decisions.vocabulary import CONTINUES
from langchain_bedrock_continue.prices import PRICES, Prices, prices_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_bedrock_continue._core.record.continuation import (
        Continuation,
        SegmentEntry,
    )


@dataclass(frozen=True)
class Cost:
    """What an answer costs, in US dollars.

    Attributes:
        billed: All calls of the turn.
        uncut: The same answer in one response.
        naive: The calls that continue the answer, without a prompt cache, retries and
            echoes: each sends the prompt and the text so far.
    """

    billed: float
    uncut: float
    naive: float


@dataclass(frozen=True)
class Quota:
    """What Bedrock reserves of the quota for tokens a minute when a call starts.

    It is the input plus `max_tokens`, until the call ends. (AWS's guide to token quotas
    on Bedrock.) The calls of a turn follow each other, so a turn holds one reservation.

    Attributes:
        reserved: The largest reservation of the turn, in tokens.
        one_request: The reservation of one request that is large enough.
    """

    reserved: int
    one_request: int

    @property
    def concurrency(self) -> float:
        """How many turns fit into the quota where one large request fits."""
        return self.one_request / self.reserved


@dataclass(frozen=True, repr=False)
class ContinuationReport:
    """What a continued answer took: calls, tokens, costs, quota.

    In a notebook it shows a table; `print` shows the same as text.

        print(ContinuationReport.from_message(message))

    Attributes:
        model: The model id, or None if the message does not say it.
        complete: Whether the answer is complete.
        ended_by: What ended the turn.
        segments: One entry per Bedrock response, as in the metadata.
        billed: The usage of all calls, or None if it is not known.
        response: The usage as if the answer had come in one response, or None.
        echo_tokens: About how many output tokens are not in the message, because they
            repeat the end of the text or introduce the continuation.
        prices: The prices in use, or None if none are known.
        cost: The costs, or None if prices or usage are not known.
        quota: The reserved quota, or None if the sizes are not known.
    """

    model: str | None
    complete: bool
    ended_by: str | None
    segments: Sequence[SegmentEntry]
    billed: UsageMetadata | None
    response: UsageMetadata | None
    echo_tokens: int
    prices: Prices | None
    cost: Cost | None
    quota: Quota | None

    @classmethod
    def from_message(
        cls,
        message: AIMessage,
        *,
        prices: Prices | Mapping[str, Prices] | None = None,
        one_request_max_tokens: int | None = None,
    ) -> Self:
        """Read the report from a message of ChatBedrockContinuing.

        Args:
            message: The message, or the sum of a stream's chunks.
            prices: The model's prices, or a table by a part of the model id. Default:
                `langchain_bedrock_continue.prices.PRICES`.
            one_request_max_tokens: The `max_tokens` of the one large request that the
                quota is compared with. Default: exactly as many as the answer took,
                which no caller knows in advance.

        Raises:
            TypeError: The message is no AIMessage.
            ValueError: The message has no `continuation` metadata, or not all of it.
        """
        metadata, turn = _metadata_of(message)
        model = metadata.get("model_name") or metadata.get("model_id")
        known = _prices_for(model, prices)
        return cls(
            model=model,
            complete=turn["complete"],
            ended_by=turn["ended_by"],
            segments=turn["segments"],
            billed=turn["billed"],
            response=turn["response"],
            echo_tokens=sum(one.get("dropped_tokens", 0) for one in turn["segments"]),
            prices=known,
            cost=_cost(turn, known),
            quota=_quota(turn, one_request_max_tokens),
        )

    @property
    def user_turn_is_cheaper_from(self) -> int | None:
        """From how many segments of this size on a user turn costs less than prefills.

        A prefill pays for its own text again in each call; the history of a user turn
        is read from the prompt cache. None if it never does, or is not known.
        """
        kept = [one["output_tokens"] for one in _kept(self.segments)]
        sizes = [tokens for tokens in kept[:-1] or kept if tokens]
        if self.prices is None or not sizes:
            return None
        return self.prices.user_turn_is_cheaper_from(sum(sizes) / len(sizes))

    def __repr__(self) -> str:
        """Return the report in one line."""
        return (
            f"ContinuationReport(segments={len(self.segments)}, "
            f"complete={self.complete}, ended_by={self.ended_by!r})"
        )

    def __str__(self) -> str:
        """Return the report as plain text."""
        lines = [self.headline, "", *_as_columns([_HEAD, *self.rows()])]
        width = max((len(name) for name, _ in self.facts()), default=0)
        lines += ["", *(f"{name:<{width}}  {value}" for name, value in self.facts())]
        return "\n".join([*lines, *self._advice()])

    def _repr_html_(self) -> str:
        """Return the report for a notebook. It has the colours of its page."""
        head = "".join(f"<th {_CELL}>{escape(name)}</th>" for name in _HEAD)
        rows = "".join(_html_row(row) for row in self.rows())
        facts = "".join(_html_row(fact) for fact in self.facts())
        lines = [line for line in self._advice() if line]
        advice = "".join(f"<p>{escape(line)}</p>" for line in lines)
        return (
            f'<div style="color: inherit"><p>{escape(self.headline)}</p>'
            f"<table {_TABLE}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
            f"</table><table {_TABLE}><tbody>{facts}</tbody></table>{advice}</div>"
        )

    @property
    def headline(self) -> str:
        """The turn in one sentence: the model, the segments, what ended it."""
        count = len(self.segments)
        state = "complete" if self.complete else "incomplete"
        model = f" of {self.model}" if self.model else ""
        return (
            f"An answer{model} in {count} segment{'' if count == 1 else 's'}: {state}, "
            f"ended by {self.ended_by}"
        )

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Return the cells of the table, one row per segment, without its head."""
        for number, one in enumerate(self.segments, start=1):
            yield (
                str(number),
                one["strategy"] or "first",
                _tokens(one["input_tokens"]),
                _tokens(one.get("cache_read_tokens", 0)),
                _tokens(one.get("cache_write_tokens", 0)),
                _tokens(one["output_tokens"]),
                _tokens(one.get("dropped_tokens", 0)),
                _tokens(one["max_tokens"]),
                one["stop_reason"] or one.get("error") or "-",
            )

    def facts(self) -> Iterator[tuple[str, str]]:
        """Return the name and the text of each number of the turn as a whole."""
        for name, usage in (("billed", self.billed), ("response", self.response)):
            yield f"Tokens, {name}", _usage_text(usage)
        if self.echo_tokens:
            yield "Echo", f"about {self.echo_tokens:,} of the output tokens"
        if self.cost is not None:
            yield "Cost, all calls", f"${self.cost.billed:.6f}"
            yield "Cost in one response", f"${self.cost.uncut:.6f}"
            yield "Cost without a cache", f"${self.cost.naive:.6f}"
        if self.quota is not None:
            yield "Quota reserved", _quota_text(self.quota)

    def _advice(self) -> list[str]:
        start = self.user_turn_is_cheaper_from
        prefills = any(one["strategy"] == "prefill" for one in self.segments)
        if start is None or not prefills or len(_kept(self.segments)) < start:
            return []
        line = (
            f"From {start} segments of this size on, the input of cached user turns "
            'costs less than that of prefills: strategy="user_turn".'
        )
        return ["", line]


# What the numbers are --------------------------------------------------------------


def _prices_for(
    model: str | None, prices: Prices | Mapping[str, Prices] | None
) -> Prices | None:
    if isinstance(prices, Prices):
        return prices
    return prices_of(model or "", PRICES if prices is None else prices)


_READ = ("complete", "ended_by", "segments", "seams", "response", "billed")
"""What the report and the view need of a turn."""


def _metadata_of(message: AIMessage) -> tuple[dict[str, Any], Continuation]:
    """Return the metadata of a message, and what it says of its turn.

    Raises:
        TypeError: The message is no AIMessage.
        ValueError: The message has no `continuation` metadata, or not all of it.
    """
    if not isinstance(message, AIMessage):
        kind = type(message).__name__
        raise TypeError(f"message: must be an AIMessage, got {kind}")
    metadata = message.response_metadata
    turn: Any = metadata.get("continuation")
    if turn is None:
        raise ValueError(
            "message: has no response_metadata['continuation']. Give a message of "
            "ChatBedrockContinuing."
        )
    missing = [key for key in _READ if key not in turn]
    if missing:
        raise ValueError(
            f"message: response_metadata['continuation'] has no {', '.join(missing)}. "
            "Give a message as ChatBedrockContinuing returned it."
        )
    return metadata, turn


def _kept(segments: Sequence[SegmentEntry]) -> list[SegmentEntry]:
    """Return the segments that no other one replaced."""
    followers = [*segments[1:], None]
    return [
        one
        for one, after in zip(segments, followers, strict=True)
        if one.get("problem") in CONTINUES
        and (after is None or after["strategy"] != "retry")
    ]


def _cost(turn: Continuation, prices: Prices | None) -> Cost | None:
    billed, response = turn["billed"], turn["response"]
    if prices is None or billed is None or response is None:
        return None
    naive = _naive(_kept(turn["segments"]), response)
    uncut = UsageMetadata(**{**response, "output_tokens": naive["output_tokens"]})
    return Cost(prices.cost(billed), prices.cost(uncut), prices.cost(naive))


def _naive(kept: Sequence[SegmentEntry], response: UsageMetadata) -> UsageMetadata:
    """Return the usage of a loop that sends the prompt and the text so far."""
    prompt, text, total = response["input_tokens"], 0, 0
    for one in kept:
        total += prompt + text
        text += (one["output_tokens"] or 0) - one.get("dropped_tokens", 0)
    return UsageMetadata(
        input_tokens=max(total, prompt), output_tokens=text, total_tokens=total + text
    )


def _quota(turn: Continuation, one_request: int | None) -> Quota | None:
    response, entries = turn["response"], turn["segments"]
    sizes = [
        one["input_tokens"] + one["max_tokens"]
        for one in entries
        if one["input_tokens"] is not None and one["max_tokens"] is not None
    ]
    if response is None or not sizes:
        return None
    large = one_request or response["output_tokens"]
    return Quota(reserved=max(sizes), one_request=response["input_tokens"] + large)


# How they are shown ----------------------------------------------------------------

_HEAD = (
    *("#", "asked for as", "input", "cache read", "cache write"),
    *("output", "echo", "max_tokens", "stop reason"),
)
# A table inherits neither in a page without a doctype.
_TABLE = (
    'style="border-collapse: collapse; margin: 0.5em 0; color: inherit; font: inherit"'
)
_CELL = (
    'style="text-align: left; padding: 0.2em 0.8em; '
    'border: 1px solid rgba(128, 128, 128, 0.4); background: transparent"'
)


def _tokens(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _usage_text(usage: UsageMetadata | None) -> str:
    if usage is None:
        return "not reported"
    details: dict[str, Any] = {**(usage.get("input_token_details") or {})}
    read = details.get("cache_read") or 0
    written = sum(value or 0 for name, value in details.items() if name != "cache_read")
    cached = f" ({read:,} read, {written:,} written)" if read or written else ""
    return f"{usage['input_tokens']:,} input{cached}, {usage['output_tokens']:,} output"


def _quota_text(quota: Quota) -> str:
    return (
        f"{quota.reserved:,} tokens; one request: {quota.one_request:,} "
        f"({quota.concurrency:.1f} times the concurrency)"
    )


def _as_columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _html_row(cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<td {_CELL}>{escape(c)}</td>" for c in cells) + "</tr>"
