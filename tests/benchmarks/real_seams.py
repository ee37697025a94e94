"""One seam of a real model: a cut answer, continued in a user turn by one wording."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_bedrock_continue._check import figures
from langchain_bedrock_continue._check.well_formed import KINDS
from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from tests.benchmarks.real_answers import bare_model, cuts, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_bedrock_continue._check.well_formed import Kind
    from langchain_bedrock_continue.local import LocalBedrock
    from tests.benchmarks.real_answers import Answers, Cut, Question, Uncut
    from tests.benchmarks.wordings import Asked, Wording

FEWEST_TOKENS = 60
"""Tokens of a continuation: enough for an echo and what is compared after it."""

ENOUGH = 2 * figures.DOUBLED
"""How many new characters are read: a repetition may begin after 60 of them."""


@dataclass(frozen=True)
class Seam:
    """What one continuation did.

    Attributes:
        wording: Name of the wording.
        kind: What was asked for.
        prompt: The prompt.
        max_tokens: The size of a segment.
        at: Where the answer was cut, in characters.
        quote: What was quoted.
        message: What the model wrote, as far as it was read.
        rule: The rule that joined it.
        after: The answer after the seam.
        natural: See FIGURES-1.
        doubled: See FIGURES-2.
        repeated: See FIGURES-2.
        early: Why it ended early; empty if it did not.
        empty: Whether it brought nothing new.
        echo: Whether it began with the quote; None if nothing was quoted.
    """

    wording: str
    kind: Kind
    prompt: str
    max_tokens: int
    at: int
    quote: str
    message: str
    rule: str
    after: str
    natural: bool
    doubled: bool
    repeated: bool
    early: str
    empty: bool
    echo: bool | None


@dataclass(frozen=True)
class _Continued:
    """A continuation, joined to the text.

    Attributes:
        text: The joined text.
        message: What the model wrote.
        rule: The rule that joined it.
        by_model: Whether the model ended the message.
    """

    text: str
    message: str
    rule: str
    by_model: bool


def seams(  # noqa: PLR0913 - the knobs of the benchmark
    bedrock: LocalBedrock,
    answers: Answers,
    questions: Sequence[Question],
    wordings: Sequence[Wording],
    *,
    sizes: Sequence[int],
    each: int,
) -> Iterator[Seam]:
    """Continue every answer at every cut with every wording.

    The wordings are the innermost loop, and the cuts grow: llama.cpp reads again only
    what differs from its last prompt.
    """
    in_order = sorted(wordings, key=lambda wording: wording.is_merged)
    for question in questions:
        uncut = answers.uncut(question.prompt)
        for cut in cuts(uncut, sizes, each):
            for wording in in_order:
                yield _seam(bedrock, question, uncut, cut, wording)


def _seam(
    bedrock: LocalBedrock, question: Question, uncut: Uncut, cut: Cut, wording: Wording
) -> Seam:
    before = uncut.text[: cut.at]
    asked = wording.ask(question.prompt, before, cut.max_tokens)
    tokens = max(FEWEST_TOKENS, cut.max_tokens)
    done = _continued(bedrock, before, asked, tokens)
    border = len(before.rstrip())
    after = done.text[border:]
    return Seam(
        wording=wording.name,
        kind=question.kind,
        prompt=question.prompt,
        max_tokens=cut.max_tokens,
        at=cut.at,
        quote=asked.quote,
        message=done.message,
        rule=done.rule,
        after=after,
        natural=figures.natural(before, after, uncut.text[border:]),
        doubled=figures.doubled(done.text, border),
        repeated=figures.repeated(done.text, border),
        early=_early(question, done, uncut, is_empty=not after.strip()),
        empty=not after.strip(),
        echo=figures.echo_obeyed(done.rule) if asked.quote else None,
    )


def _early(
    question: Question, done: _Continued, uncut: Uncut, *, is_empty: bool
) -> str:
    """Return why the answer ended early: at least FOLLOWING characters are missing."""
    if done.by_model and is_empty:
        return "nothing new"
    return figures.early(question.kind, done.text, uncut.text, by_model=done.by_model)


def _continued(
    bedrock: LocalBedrock, before: str, asked: Asked, tokens: int
) -> _Continued:
    """Ask for the continuation, join it, and stop when enough of it is there."""
    join = EchoJoin(before, asked.quote, opening=asked.opening)
    message, added, reason = "", "", None
    stream: Any = bare_model(bedrock, tokens).stream(asked.messages)
    with closing(stream) as chunks:
        for chunk in chunks:
            message += chunk.text
            added += (join.feed(chunk.text) if chunk.text else None) or ""
            reason = chunk.response_metadata.get("stopReason", reason)
            if len(added) > ENOUGH:
                break
    added += join.finish(truncated=reason == "max_tokens")
    return _Continued(
        text=before[: len(before) - join.replaced] + added,
        message=message,
        rule=join.result.rule.value if join.result else "",
        by_model=reason == "end_turn",
    )


_HEAD = ("seams", "natural", "doubled", "repeated", "early", "empty", "echo")
_MIN_NAME = 14


def seam_table(measured: Sequence[Seam], names: Sequence[str]) -> str:
    """Return the shares of the seams, a line a wording."""
    by_name: dict[str, list[Seam]] = defaultdict(list)
    for seam in measured:
        by_name[seam.wording].append(seam)
    kinds = [kind for kind in KINDS if any(seam.kind == kind for seam in measured)]
    heads = [*_HEAD, *(f"n {kind}"[:8] for kind in kinds)]
    lines = ["wording".ljust(_MIN_NAME) + "".join(f"{head:>9}" for head in heads)]
    for name in names:
        cells = _cells(by_name[name], kinds)
        lines.append(name.ljust(_MIN_NAME) + "".join(f"{cell:>9}" for cell in cells))
    return "\n".join(lines)


def _cells(some: Sequence[Seam], kinds: Sequence[Kind]) -> list[str]:
    echoes = [seam.echo for seam in some if seam.echo is not None]
    return [
        str(len(some)),
        share([seam.natural for seam in some]),
        share([seam.doubled for seam in some]),
        share([seam.repeated for seam in some]),
        share([bool(seam.early) for seam in some]),
        share([seam.empty for seam in some]),
        share(echoes),
        *(share([seam.natural for seam in some if seam.kind == k]) for k in kinds),
    ]
