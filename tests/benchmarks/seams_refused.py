"""How often the true continuation of a real text is refused at a seam.

    python -m tests.benchmarks.seams_refused [--every 50] [--show 10] [--step 20]

Every text is cut at each k-th place, and continued with its own text, as a model does
that copies the quote and goes on exactly. A refusal on an earlier try costs a call. One
on the last try ends the turn, so there each is false, unless the text really runs in a
circle.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.text.continuation_join import (
    ContinuationJoin,
    ExpectedEcho,
)
from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.quote import choose_quote
from tests.benchmarks.corpora import files, installed, read, standard_library
from tests.seams.texts import Text
from tests.seams.texts import texts as seam_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_TOKENS = 256
"""The size of a segment, in tokens of four characters."""

LONGEST = 8_192
"""How much of the text before a seam is given to the join, in characters."""

LARGEST = 200_000
"""A larger file is a table of data."""


def refused(
    text: str, at: int, *, is_last_try: bool, end: int | None = None
) -> str | None:
    """Return why the true continuation of a text is refused, or None.

    Args:
        text: The text.
        at: Where it is cut.
        is_last_try: Weak evidence does not count.
        end: Where the continuation is truncated; by default after a segment.
    """
    fence = "```text\n" if text.startswith("```text\n") and at > LONGEST else ""
    before = fence + text[max(0, at - LONGEST) : at]
    end = at + 4 * MAX_TOKENS if end is None else end
    quote = choose_quote(before, MAX_TOKENS)
    expected = ExpectedEcho(
        quote=quote, capacity=4 * MAX_TOKENS, is_last_try=is_last_try
    )
    join = ContinuationJoin(EchoJoin(before, quote), before, expected)
    trailing = before[len(before.rstrip()) :]
    join.feed(quote + trailing + text[at:end])
    join.finish(truncated=end < len(text))
    return None if join.rejected is None else join.rejected.value


def own_texts() -> Iterator[Text]:
    """Iterate over the sources and documents of this repository."""
    root = Path(__file__).parents[2]
    for folder in ("langchain_bedrock_continue", "tests"):
        for kind, path in files(root / folder):
            yield Text(kind, f"{folder}/{path.name}", read(path) or "")
    for path in sorted(root.glob("*.md")):
        yield Text("markdown", path.name, path.read_text())


def all_texts(step: int) -> Iterator[Text]:
    """Iterate over all texts: each n-th of Python and the installed packages."""
    own = chain(seam_texts(), own_texts())
    others = chain(standard_library(step), list(installed())[::step])
    for text in chain(own, others):
        if len(text.full) <= LARGEST:
            fence = "```text\n" if text.kind == "code" else ""  # as an answer has it
            yield replace(text, full=fence + text.full)


def count(
    texts: Iterable[Text], every: int, show: int, tries: Iterable[bool]
) -> Iterator[str]:
    """Cut all texts, and format what was refused."""
    cuts = dict.fromkeys(tries, 0)
    found: dict[bool, Counter[str]] = {one: Counter() for one in cuts}
    shown: Counter[tuple[bool, str]] = Counter()
    for text in texts:
        for at in range(every, len(text.full), every):
            for is_last_try in cuts:
                cuts[is_last_try] += 1
                why = refused(text.full, at, is_last_try=is_last_try)
                if why is None:
                    continue
                found[is_last_try][f"{text.kind} {why}"] += 1
                shown[is_last_try, text.name] += 1
                total = sum(n > 0 for (one, _), n in shown.items() if one)
                if is_last_try and total <= show and shown[True, text.name] == 1:
                    sides = text.full[max(0, at - 160) : at], text.full[at : at + 80]
                    yield f"{text.name} at {at}: {why}: {sides[0]!r} -> {sides[1]!r}"
    for is_last_try, number in cuts.items():
        which = "last try" if is_last_try else "earlier try"
        total = found[is_last_try].total()
        yield f"{which}: {total} of {number} refused: {dict(found[is_last_try])}"


def main() -> None:
    """Print what was refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=50, help="a cut, in characters")
    parser.add_argument("--step", type=int, default=20, help="each n-th file of others")
    parser.add_argument("--show", type=int, default=10, help="most texts shown")
    parser.add_argument("--files", type=Path, nargs="*", help="only these files")
    parser.add_argument("--last", action="store_true", help="only the last try")
    args = parser.parse_args()
    began = time.monotonic()
    some = (Text(one.suffix[1:], one.name, one.read_text()) for one in args.files or ())
    texts = some if args.files else all_texts(args.step)
    tries = (True,) if args.last else (False, True)
    for line in count(texts, args.every, args.show, tries):
        print(line, flush=True)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
