"""How often is a text taken for a loop, and how often is a loop found?

    python -m tests.benchmarks.repetition [--every 500]
    python -m tests.benchmarks.repetition --weights smollm2

Real texts are tested at every k-th character, as if a seam were there. A positive in
one of them is false, unless the text really repeats itself; each is shown. With
weights, ten answers of a real model at temperature 0 are tested instead.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue._core.text.repetition import (
    DATA,
    TAIL,
    WORDS,
    Cycle,
    find_cycle,
)
from langchain_bedrock_continue.local import LocalBedrock
from langchain_bedrock_continue.local.llama.backend import LlamaBackend
from langchain_bedrock_continue.local.llama.weights import weights_path
from tests.benchmarks.corpora import real_texts
from tests.benchmarks.loops import ALPHABETS, LEAD_INS, asked_for, looped, unit
from tests.benchmarks.prompts import PROMPTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.seams.texts import Text

EVIDENCE = (
    (256, 1024),
    (512, 2048),
    (1024, 4096),
    (2048, 8192),
    (WORDS, DATA),
    (4096, DATA),
)
"""How many bytes must repeat, with words and without: the defaults and others."""

BANDS = ((1, 10), (11, 50), (51, 200), (201, 600))
"""Lengths of a period, in characters."""

WRITTEN = (1_000, 2_000, 4_000, 6_000, 20_000)
"""How many characters of a loop are written when the text is tested."""

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"


class Positive(NamedTuple):
    """A place at which a text is taken for a loop."""

    text: Text
    end: int
    cycle: Cycle


@dataclass
class Count:
    """How many texts and places of a kind were tested, and the positives."""

    texts: int = 0
    characters: int = 0
    places: int = 0
    positives: list[Positive] = field(default_factory=list)

    @property
    def positive_texts(self) -> int:
        """The number of texts that have a positive."""
        return len({positive.text.name for positive in self.positives})

    def add(self, other: Count) -> None:
        """Add the numbers and positives of another count."""
        self.texts += other.texts
        self.characters += other.characters
        self.places += other.places
        self.positives += other.positives


def places(text: Text, every: int) -> Iterator[tuple[int, str]]:
    """Iterate over places, the text's end last, each with the tail before it."""
    for end in (*range(every, len(text.full), every), len(text.full)):
        yield end, text.full[max(0, end - TAIL) : end]


def ask(text: Text, every: int, words: int = WORDS, data: int = DATA) -> Count:
    """Test a text at every `every`-th character."""
    count = Count(texts=1, characters=len(text.full))
    for end, tail in places(text, every):
        count.places += 1
        cycle = find_cycle(tail, words=words, data=data)
        if cycle:
            count.positives.append(Positive(text, end, cycle))
    return count


def false_positives(texts: Iterable[Text], every: int) -> dict[str, Count]:
    """Test all texts, and count by kind."""
    counts: dict[str, Count] = defaultdict(Count)
    for text in texts:
        counts[text.kind].add(ask(text, every))
    return counts


def rate_table(counts: dict[str, Count]) -> Iterator[str]:
    """Format the rates of false positives, by place and by text."""
    yield "kind       texts      MB    places  positive  in texts"
    total = Count()
    for count in counts.values():
        total.add(count)
    for kind, count in [*counts.items(), ("all", total)]:
        yield (
            f"{kind:8}{count.texts:8}{count.characters / 1e6:8.1f}{count.places:10}"
            f"{len(count.positives):10}{count.positive_texts:10}"
        )


def shown(positives: Iterable[Positive]) -> Iterator[str]:
    """Format the first positive of each text, and how many there are."""
    by_text: dict[str, list[Positive]] = defaultdict(list)
    for positive in positives:
        by_text[positive.text.name].append(positive)
    for name, found in by_text.items():
        text, end, cycle = found[0]
        period = text.full[end - cycle.length : end]
        places_of = f"{len(found)} places from {end} on"
        yield f"{name}: {places_of}, {cycle.count} x {period!r:.90}"


def evidence_table(texts: list[Text], every: int) -> Iterator[str]:
    """Format what other amounts of evidence find in the same texts."""
    yield f"{'words':>8}{'data':>8}{'positive':>10}{'in texts':>10}"
    for words, data in EVIDENCE:
        total = Count()
        for text in texts:
            total.add(ask(text, every, words, data))
        yield f"{words:8}{data:8}{len(total.positives):10}{total.positive_texts:10}"


def first_positive(text: str, every: int = 16) -> tuple[int, Cycle] | None:
    """Return the first place at which an answer is taken for a loop."""
    found = (
        (end, find_cycle(text[:end])) for end in range(every, len(text) + 1, every)
    )
    return next(((end, cycle) for end, cycle in found if cycle), None)


def asked_table() -> Iterator[str]:
    """Format where answers that a user asked for are taken for loops."""
    for name, text in asked_for():
        first = first_positive(text)
        ended = f"taken for a loop at {first[0]}" if first else "-"
        yield f"{name:34}{len(text):8}  {ended}"


def detection_table(samples: int) -> Iterator[str]:
    """Format how many scripted loops are found, by period and characters written."""
    yield f"{'kind':10}{'period':>10}" + "".join(f"{at:>8}" for at in WRITTEN)
    for kind in ALPHABETS:
        for low, high in BANDS:
            sizes = [low + (high - low) * n // (samples - 1) for n in range(samples)]
            loops = [
                (unit(kind, size, 0), lead_in)
                for size in sizes
                for lead_in in LEAD_INS.values()
            ]
            cells = "".join(f"{found(loops, at):8.0%}" for at in WRITTEN)
            yield f"{kind:10}{f'{low}-{high}':>10}{cells}"


def found(loops: list[tuple[str, str]], written: int) -> float:
    """Return the share of loops found after so many of their characters."""
    hits = [bool(find_cycle(looped(*loop, written))) for loop in loops]
    return sum(hits) / len(hits)


def answers(weights: str, tokens: int, each: int) -> Iterator[str]:
    """Let a real model answer, and format where an answer is taken for a loop."""
    with LocalBedrock(LlamaBackend(weights_path(weights))) as bedrock:
        llm = ChatBedrockConverse(
            model=MODEL, max_tokens=tokens, temperature=0, **bedrock.client_kwargs()
        )
        for kind, prompts in PROMPTS.items():
            for prompt in prompts[:each]:
                # A stream, because a slow model exceeds the read timeout of a response.
                answer = "".join(chunk.text for chunk in llm.stream(prompt))
                yield f"{kind:10}{judged(answer)}"


def judged(answer: str) -> str:
    """Format an answer's length, its first positive, and its end."""
    first = first_positive(answer)
    at = f"a loop at {first[0]}: {first[1]}" if first else "no loop"
    return f"{len(answer):6}  {at:50}  {answer[-50:]!r}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=500, help="a place, in characters")
    parser.add_argument("--samples", type=int, default=10, help="periods of a band")
    parser.add_argument("--weights", help="a real model's answers instead of texts")
    parser.add_argument("--tokens", type=int, default=1500, help="of a real answer")
    parser.add_argument("--each", type=int, default=2, help="questions of a kind")
    args = parser.parse_args()
    if args.weights:
        for line in answers(args.weights, args.tokens, args.each):
            print(line, flush=True)
        return
    texts = list(real_texts())
    counts = false_positives(texts, args.every)
    everything = [one for count in counts.values() for one in count.positives]
    sections = {
        f"Real texts, a place every {args.every} characters": rate_table(counts),
        "Each text with a positive": shown(everything),
        "Other amounts of evidence": evidence_table(texts, args.every),
        "Answers that a user asked for": asked_table(),
        "Scripted loops found, by characters written": detection_table(args.samples),
    }
    for title, lines in sections.items():
        print(f"\n{title}", *lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
