"""The seam benchmark: every text cut at every position, joined by nine rules.

    python -m tests.benchmarks.seams [--every N]

At each cut, one model continues from a prefill, and models with different habits
continue in a user turn. The joined text is compared with the complete text; or with the
text before, if the message brings nothing new. The rules of others are measured at a
part of the cuts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.healed_cut import TextBuffer
from tests.seams.habits import HABITS, Habit, Reason
from tests.seams.rules import RULES, by_join, quote_at
from tests.seams.score import Score
from tests.seams.texts import KINDS, Text, texts

if TYPE_CHECKING:
    from collections.abc import Iterable

DELAY_EVERY = 5
"""How many cuts there are to one for which the delay is measured."""

OTHERS_EVERY = 7
"""How many cuts there are to one at which the rules of others are measured."""

OWN = "this package"


def prefilled(full: str, cuts: Iterable[int]) -> str:
    """Join the segments of a model that continues exactly from its prefill."""
    run = TextBuffer()
    for cut in cuts:
        run.feed(full[len(run) : cut])
        run.end_for_prefill()
    run.feed(full[len(run) :])
    run.finish()
    return run.text


def twice(full: str, first: int, second: int, habit: Habit) -> str | None:
    """Join three segments; None or "" if the habit or a seam can't be judged."""
    if habit.brings_nothing or habit.closes_at_end:
        return None
    text = full[:first]
    for end in sorted({second, len(full)}):
        quote = quote_at(text)
        goal = text + full[len(text) : end] if full.startswith(text) else None
        if goal is None or habit.unknowable(goal, text, quote):
            return None if goal is None else ""
        message = habit.write(goal, text, quote)
        if message is None:
            return ""
        text = by_join(text, message, truncated=end != len(full))
        if end == second and text != full[:second]:
            return text + full[second:]
    return text


def delay(full: str, cut: int, habit: Habit) -> tuple[int, int] | None:
    """Count the characters read before the first release: all, and new ones."""
    text = full[:cut]
    quote = quote_at(text)
    message = habit.write(full, text, quote)
    if message is None:
        return None
    join = EchoJoin(text, quote)
    read = next(
        (at for at, char in enumerate(message, 1) if join.feed(char) is not None),
        len(message),
    )
    new = 0 if habit.brings_nothing else len(full) - cut
    not_new = max(0, len(message) - new)
    return read, max(0, read - not_new)


@dataclass
class Results:
    """Scores by kind and habit."""

    prefill: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    known: dict[tuple[str, str, str], Score] = field(
        default_factory=lambda: defaultdict(Score)
    )
    unknown: dict[tuple[str, str, str], Score] = field(
        default_factory=lambda: defaultdict(Score)
    )
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    three: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    delays: dict[str, list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def measure(every: int, *, others: bool = True) -> Results:
    """Cut every text at each `every`-th position, and join the parts.

    Args:
        every: The distance of the cuts.
        others: Whether the rules of others are measured, too.
    """
    results = Results()
    for item in texts():
        cuts = range(1 + every // 2, len(item.full), every)
        for number, cut in enumerate(cuts):
            _at_cut(results, item, cut)
            if others and number % max(1, OTHERS_EVERY // every) == 0:
                _others_at_cut(results, item, cut)
            if number % DELAY_EVERY == 0:
                _measure_delay(results, item.full, cut)
    return results


def _at_cut(results: Results, item: Text, cut: int) -> None:
    """Cut one text at one place, and a second time after it."""
    full, where = item.full, (item.name, cut)
    second = min(len(full), cut + 1 + cut * 7919 % 150)
    results.prefill[item.kind].add(full, prefilled(full, [cut]), where)
    results.prefill[item.kind].add(full, prefilled(full, [cut, second]), where)
    for habit in HABITS:
        _join_own(results, habit, item, cut)
        joined = twice(full, cut, second, habit)
        if joined:
            results.three[habit.name].add(full, joined, where)


def _join_own(results: Results, habit: Habit, item: Text, cut: int) -> None:
    """Join a message by this package's rule."""
    text = item.full[:cut]
    message = habit.write(item.full, text, quote_at(text))
    if message is None:
        return
    reason = habit.unknowable(item.full, text, quote_at(text))
    if reason:
        results.reasons[habit.name, reason] += 1
    scores = results.unknown if reason else results.known
    joined = by_join(text, message, truncated=habit.truncated)
    goal = text if habit.brings_nothing else item.full
    scores[item.kind, habit.name, OWN].add(goal, joined, (item.name, cut))


def _others_at_cut(results: Results, item: Text, cut: int) -> None:
    """Join messages by the rules of others, if any rule can know the join."""
    full, where = item.full, (item.name, cut)
    for habit in HABITS:
        if habit.unknowable(full, full[:cut], quote_at(full[:cut])):
            continue
        for name, rule in RULES.items():
            text = rule.keep(full[:cut])
            message = habit.write(full, text, quote_at(text))
            if message is not None:
                goal = text if habit.brings_nothing else full
                joined = rule.join(text, message)
                results.known[item.kind, habit.name, name].add(goal, joined, where)


def _measure_delay(results: Results, full: str, cut: int) -> None:
    for habit in HABITS:
        seen = delay(full, cut, habit)
        if seen:
            results.delays[habit.name].append(seen)


def total(
    scores: dict[tuple[str, str, str], Score],
    *,
    kind: str = "",
    habit: str = "",
    rule: str = OWN,
) -> Score:
    """Add up the scores of a kind, of a habit, or of all."""
    found = (
        score
        for (a, b, c), score in scores.items()
        if c == rule and kind in {"", a} and habit in {"", b}
    )
    return sum(found, Score())


# Printing ------------------------------------------------------------------------


def _row(*cells: object, first: int = 21, other: int = 9) -> None:
    print(f"{cells[0]!s:<{first}}" + "".join(f"{c!s:>{other}}" for c in cells[1:]))


def _counts(score: Score) -> tuple[object, ...]:
    return score.joins, score.share, score.lost, score.doubled, score.inserted


def show(results: Results) -> None:
    """Print all tables."""
    _show_prefill(results)
    _show_habits(results)
    _show_reasons(results)
    for habit in HABITS:
        _show_kinds(results, habit.name)
    _show_rules(results)
    _show_three(results)
    _show_delays(results)


def _show_prefill(results: Results) -> None:
    print("\nPrefill: cut once, and cut twice; characters against the uncut text\n")
    _row("kind", "joins", "exact %", "lost", "doubled", "inserted")
    for kind in KINDS:
        _row(kind, *_counts(results.prefill[kind]))


def _show_habits(results: Results) -> None:
    print("\nUser turn: joins that can be known | joins that no rule can know\n")
    columns = ("joins", "exact %", "lost", "doubled", "insert.")
    _row("habit", *columns, *columns[:4], other=8)
    for habit in HABITS:
        known = _counts(total(results.known, habit=habit.name))
        unknown = _counts(total(results.unknown, habit=habit.name))
        _row(habit.name, *known, *unknown[:4], other=8)


def _show_reasons(results: Results) -> None:
    print("\nWhy no rule can know a join, and how often: see tests/seams/habits.py\n")
    reasons = get_args(Reason)
    _row("habit", *reasons)
    for habit in HABITS:
        counts = [results.reasons[habit.name, reason] for reason in reasons]
        if any(counts):
            _row(habit.name, *counts)


def _show_kinds(results: Results, habit: str) -> None:
    if not total(results.known, habit=habit).joins:
        return
    print(f"\n{habit}: exact %, and lost/doubled/inserted characters of this package\n")
    _row("kind", "joins", "exact %", "l/d/i", *RULES, first=12, other=12)
    for kind in KINDS:
        own = total(results.known, kind=kind, habit=habit)
        if own.joins:
            others = (
                total(results.known, kind=kind, habit=habit, rule=r) for r in RULES
            )
            errors = f"{own.lost}/{own.doubled}/{own.inserted}"
            shares = [score.share for score in others]
            _row(kind, own.joins, own.share, errors, *shares, first=12, other=12)


def _show_rules(results: Results) -> None:
    print("\nNine rules: characters lost/doubled/inserted in each 100 joins\n")
    names = [OWN, *RULES]
    _row("habit", *names, other=17)
    for habit in HABITS:
        scores = [total(results.known, habit=habit.name, rule=rule) for rule in names]
        if scores[0].joins:
            _row(habit.name, *map(_per_hundred, scores), other=17)


def _per_hundred(score: Score) -> str:
    counts = (score.lost, score.doubled, score.inserted)
    return "/".join(f"{100 * count / max(1, score.joins):.0f}" for count in counts)


def _show_three(results: Results) -> None:
    print("\nThree segments, two seams that can be known\n")
    _row("habit", "texts", "exact %", "lost", "doubled", "inserted")
    for habit in HABITS:
        if results.three[habit.name].joins:
            _row(habit.name, *_counts(results.three[habit.name]))


def _show_delays(results: Results) -> None:
    print("\nCharacters read before the first is released: all, and new ones\n")
    _row("habit", "median", "max", "new: med", "max")
    for habit in HABITS:
        if not results.delays[habit.name]:
            continue
        read, new = zip(*results.delays[habit.name], strict=True)
        medians = int(statistics.median(read)), int(statistics.median(new))
        _row(habit.name, medians[0], max(read), medians[1], max(new))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--every", type=int, default=1, help="cut at each N-th place")
    parser.add_argument("--failed", action="store_true", help="list inexact joins")
    arguments = parser.parse_args()
    began = time.monotonic()
    results = measure(arguments.every)
    show(results)
    if arguments.failed:
        for (_, habit, rule), score in results.known.items():
            if rule == OWN and score.failed:
                print(habit, score.failed)
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
