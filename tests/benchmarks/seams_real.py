"""User turns on real models: wordings compared, and complete turns measured.

    python -m tests.benchmarks.seams_real --seams --weights smollm2 --half choose
    python -m tests.benchmarks.seams_real --seams --wordings package,copy,vendor

`--seams` (fast) compares wordings. Each prompt is answered once, at temperature 0. The
answer is cut at multiples of 32, 64 and 128 tokens, and each part is continued once, in
a user turn, with each wording, and joined by this package's rules. A greedy model that
is given the part as a prefill writes the uncut answer, so that is what a seam is
compared with.

    python -m tests.benchmarks.seams_real --turns --weights smollm2 --half report

`--turns` measures complete turns, as the package makes them: in user turns, and for
comparison by prefill. To measure another version of the package, copy `_check` and the
benchmark to a checkout of it.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from langchain_bedrock_continue._check.well_formed import KINDS
from tests.benchmarks.real_answers import Answers, Question, endpoint
from tests.benchmarks.real_seams import Seam, seam_table, seams
from tests.benchmarks.real_turns import STRATEGIES, MeasuredTurn, turn_table, turns
from tests.benchmarks.seam_prompts import HALVES
from tests.benchmarks.wordings import WORDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from langchain_bedrock_continue._check.well_formed import Kind
    from langchain_bedrock_continue.local import LocalBedrock

_T = TypeVar("_T", Seam, MeasuredTurn)

WRITES_NO_JAPANESE = {"smollm2"}


def main() -> None:
    """Measure, and print one table."""
    args = _arguments()
    questions = _questions(args)
    measure = _measure_seams if args.seams else _measure_turns
    with endpoint(args.weights, args.batch, args.responses) as bedrock:
        answers = Answers(bedrock, args.tokens, args.answers)
        measure(args, bedrock, answers, questions)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--seams", action="store_true", help="compare wordings, seam by seam"
    )
    what.add_argument("--turns", action="store_true", help="measure complete turns")
    parser.add_argument(
        "--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES
    )
    parser.add_argument("--weights", default="smollm2")
    parser.add_argument("--half", choices=HALVES, default="choose")
    parser.add_argument("--wordings", type=_wordings, default=list(WORDINGS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument(
        "--each", type=int, default=2, help="most seams of a prompt and size"
    )
    parser.add_argument("--prompts", type=int, help="most prompts of a kind")
    parser.add_argument("--tokens", type=int, default=500, help="of an uncut answer")
    parser.add_argument(
        "--answers", type=Path, help="JSON file that keeps the uncut answers"
    )
    parser.add_argument(
        "--responses", type=Path, help="file that keeps the model's responses"
    )
    parser.add_argument(
        "--batch", type=int, default=64, help="tokens of a prompt computed at once"
    )
    parser.add_argument(
        "--json", type=Path, help="write a line of JSON for each seam or turn"
    )
    return parser.parse_args()


def _wordings(names: str) -> list[str]:
    unknown = [name for name in names.split(",") if name not in WORDINGS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)}; known: {', '.join(WORDINGS)}"
        )
    return names.split(",")


def _questions(args: argparse.Namespace) -> list[Question]:
    skipped: set[Kind] = {"japanese"} if args.weights in WRITES_NO_JAPANESE else set()
    return [
        Question(kind, prompt)
        for kind, prompts in HALVES[args.half].items()
        if kind in args.kinds and kind not in skipped
        for prompt in prompts[: args.prompts]
    ]


def _measure_seams(
    args: argparse.Namespace,
    bedrock: LocalBedrock,
    answers: Answers,
    questions: Sequence[Question],
) -> None:
    wordings = [WORDINGS[name] for name in args.wordings]
    found = seams(
        bedrock, answers, questions, wordings, sizes=args.sizes, each=args.each
    )
    measured = list(_kept(_reported(found, len(wordings)), args.json))
    print(f"\n{args.weights}, {args.half}: seams in a user turn")
    print(seam_table(measured, args.wordings))


def _measure_turns(
    args: argparse.Namespace,
    bedrock: LocalBedrock,
    answers: Answers,
    questions: Sequence[Question],
) -> None:
    over = [one for one in questions if answers.uncut(one.prompt).ended]
    found = itertools.chain.from_iterable(
        turns(bedrock, answers, question, args.sizes, args.strategies)
        for question in over
    )
    measured: list[MeasuredTurn] = []
    for turn in _kept(found, args.json):
        place = f"{turn.kind:<9} {turn.strategy:<9} {turn.max_tokens:>3}"
        print(place, turn.calls, turn.ended_by, turn.prompt[:40], file=sys.stderr)
        measured.append(turn)
    print(f"\n{args.weights}, {args.half}: complete turns")
    print(turn_table(measured))
    left_out = len(questions) - len(over)
    print(f"Left out: {left_out} answers that did not end in {args.tokens} tokens.")


def _kept(found: Iterable[_T], file: Path | None) -> Iterator[_T]:
    """Write each to the file as it is measured: a run may be stopped."""
    with file.open("w") if file else contextlib.nullcontext() as lines:
        for one in found:
            if lines:
                print(
                    json.dumps(asdict(one), ensure_ascii=False), file=lines, flush=True
                )
            yield one


def _reported(found: Iterable[Seam], wordings: int) -> Iterator[Seam]:
    """Report the progress: one line a cut."""
    for number, seam in enumerate(found, 1):
        if number % wordings == 0:
            place = f"{seam.kind:<9} cut {seam.max_tokens:>3} at {seam.at:>4}"
            print(number // wordings, place, seam.prompt[:40], file=sys.stderr)
        yield seam


if __name__ == "__main__":
    main()
