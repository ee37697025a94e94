"""The price of the input of continued answers, beside the naive loop and the floor.

    python -m tests.benchmarks.prices
    python -m tests.benchmarks.prices --prompts 12000 --segments 2,12 --size 512

The package runs against the local endpoint, which accounts cache reads and writes as
Bedrock does. The model is scripted. For each family of prices, each way to continue,
each value of `prompt_caching`, prompt and number of segments it prints:

- `price`: what the input of all calls costs, divided by that of the naive loop, which
  sends the prompt and the text so far in each call and has no cache. With one segment,
  which is an answer that is not truncated, both are the price of the prompt.
- `floor`: the least that it could be: the first call writes the prompt to the cache,
  all others read it, and the text has the least price that its strategy allows; `-`
  where the model does not cache a prompt of this size.
- `ratio`: `price` divided by `floor`. `auto` leaves the first request as it is, so that
  an answer that is not truncated costs 1.00. It can't reach the floor.

Every price is a ratio of one run: no dollars and no clock are involved.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock, Request, Script
from langchain_bedrock_continue.local.rules.models import rules_for
from langchain_bedrock_continue.local.script.tokenizer import tokenize
from langchain_bedrock_continue.prices import Prices
from tests.support.scripts import quote_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages.ai import UsageMetadata

SEGMENTS = (1, 2, 3, 4, 8, 12, 32)
PROMPTS = (1_000, 12_000, 100_000)
MODES: tuple[Any, ...] = ("auto", "5m", "1h")
SIZE = 16
"""`max_tokens` of a segment. With few tokens, the prompt is nearly all of the input."""


class Family(NamedTuple):
    """Models that have the same prices, in multiples of the input price."""

    name: str
    model: str
    prices: Prices
    strategies: tuple[Any, ...] = ("user_turn",)

    def caches(self, tokens: int) -> bool:
        """Return True if the models cache a prefix of so many tokens."""
        rules = rules_for(self.model)
        if rules is None:
            return False
        return rules.min_cache_tokens <= tokens <= (rules.max_cache_tokens or tokens)


FAMILIES = (
    Family(
        "Claude, read 0.1",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        Prices.claude(1, 5),
        ("prefill", "user_turn"),
    ),
    Family(
        "Claude, read 0.05",
        "us.anthropic.claude-sonnet-5-5",
        Prices.claude(1, 5, read=0.05),
    ),
    Family(
        "Claude, read 0.025",
        "us.anthropic.claude-fable-5-1",
        Prices.claude(1, 5, read=0.025),
    ),
    Family(
        "Nova, read 0.25",
        "us.amazon.nova-pro-v1:0",
        Prices.nova(1, 4),
        ("prefill", "user_turn"),
    ),
)


@cache
def tokens_in(text: str) -> int:
    """Count the tokens of a text once: prompts are long, and each call counts them."""
    return len(tokenize(text))


class CountingScript(Script):
    """A script whose count of a text's tokens is remembered."""

    async def count_tokens(self, request: Request) -> int:
        """Count as the script does, text by text."""
        contents = [
            *request.system,
            *(b for m in request.messages for b in m["content"]),
        ]
        texts = [block["text"] for block in contents if "text" in block]
        return sum(map(tokens_in, texts)) + 3 * len(request.messages)


def answer_of(tokens: int) -> str:
    """Return a text of so many tokens, in which no part occurs twice."""
    words = ("".join(chr(97 + int(d)) for d in str(n)) for n in itertools.count(1_000))
    return "x" + "".join(
        f" {word}" for word, _ in zip(words, range(tokens - 1), strict=False)
    )


@dataclass(frozen=True)
class Case:
    """One turn."""

    family: Family
    strategy: Any
    prompt: int
    segments: int
    size: int


@dataclass(frozen=True)
class Measured:
    """What a turn's calls took, in tokens."""

    billed: UsageMetadata
    segments: list[Any]

    @property
    def inputs(self) -> list[int]:
        """The input tokens of each call."""
        return [one["input_tokens"] for one in self.segments]


class Endpoint:
    """The local endpoint, with the package's calls to it."""

    def __init__(self, bedrock: LocalBedrock) -> None:
        self._bedrock = bedrock
        self._client = bedrock.boto3_client()
        self._asked = itertools.count()

    def run(self, case: Case, mode: Any) -> Measured:
        """Run a turn with a prompt that was not asked before."""
        begin = f"Question {next(self._asked)}. "
        left = case.prompt - tokens_in(begin) - 3
        llm = ChatBedrockContinuing(
            model=case.family.model,
            max_tokens=case.size,
            strategy=case.strategy,
            prompt_caching=mode,
            max_continuations=case.segments - 1,
            client=self._client,
            bedrock_client=self._client,
        )
        message = llm.invoke(begin + "word " * left)
        self._bedrock.clear()
        turn = message.response_metadata["continuation"]
        if len(turn["segments"]) != case.segments:
            raise SystemExit(f"{case}: {len(turn['segments'])} segments")
        return Measured(turn["billed"], turn["segments"])


def price(measured: Measured, prices: Prices) -> float:
    """Return the price of the input, in tokens at the input price."""
    return prices.input_cost(measured.billed) * 1_000_000


def floor(measured: Measured, case: Case, mode: Any) -> float:
    """Return the least price, in tokens at the input price.

    A prefill pays for its text in full. A user turn writes each token of the history
    once and reads it afterwards. The last call writes nothing, as if it knew that it is
    the last.
    """
    prices = case.family.prices
    sizes = measured.inputs
    write = prices.cache_write_1h if mode == "1h" else prices.cache_write
    prompt, *later = sizes
    if not later:
        return prompt
    total = prompt * (write + prices.cache_read * len(later))
    if case.strategy == "prefill":
        return total + sum(size - prompt for size in later)
    for before, size in itertools.pairwise(sizes):
        total += (size - before) * (1 if size == sizes[-1] else write)
        total += (before - prompt) * prices.cache_read
    return total


def naive(measured: Measured) -> float:
    """Return the price of the naive loop, in tokens at the input price."""
    prompt, calls = measured.inputs[0], len(measured.segments)
    size: int = measured.segments[0]["output_tokens"]
    return prompt * calls + size * calls * (calls - 1) / 2


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: Case
    mode: Any
    price: float
    floor: float | None

    def __str__(self) -> str:
        """Return the line."""
        case, least = self.case, "- | -"
        if self.floor is not None:
            least = f"{self.floor:.3f} | {self.price / self.floor:.2f}"
        return (
            f"| {case.family.name} | {case.strategy} | {self.mode} | {case.prompt} "
            f"| {case.segments} | {self.price:.3f} | {least} |"
        )


def rows(endpoint: Endpoint, cases: Iterator[Case]) -> Iterator[Row]:
    """Measure each case with each value of `prompt_caching`."""
    for case in cases:
        for mode in MODES:
            if mode == "1h" and case.family.prices.cache_write_1h == 1:
                continue  # Nova has no hour
            measured = endpoint.run(case, mode)
            paid = price(measured, case.family.prices)
            full, least = naive(measured), floor(measured, case, mode)
            known = least if case.family.caches(case.prompt) else None
            yield Row(case, mode, paid / full, known and min(known / full, 1.0))


def cases(arguments: argparse.Namespace) -> Iterator[Case]:
    """Yield the cases that the arguments ask for."""
    for family, prompt in itertools.product(FAMILIES, arguments.prompts):
        for strategy in family.strategies:
            for segments in arguments.segments:
                yield Case(family, strategy, prompt, segments, arguments.size)


def scripted(answer: str) -> CountingScript:
    """Return a model that says the answer, by prefill or after the quote it repeats."""

    def say(request: Request) -> str:
        quote = quote_of(request)
        return quote + answer.partition(quote)[2] if quote else answer

    return CountingScript(say)


def numbers(text: str) -> list[int]:
    """Read numbers, separated by commas."""
    return [int(number) for number in text.split(",")]


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--segments", type=numbers, default=SEGMENTS)
    parser.add_argument("--prompts", type=numbers, default=PROMPTS)
    parser.add_argument("--size", type=int, default=SIZE, help="tokens of a segment")
    arguments = parser.parse_args(argv)
    logging.getLogger("langchain_bedrock_continue").setLevel(logging.ERROR)
    answer = answer_of((max(arguments.segments) + 2) * arguments.size)
    print("| family | strategy | caching | prompt | segments | price | floor | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    with LocalBedrock(scripted(answer)) as bedrock:
        for row in rows(Endpoint(bedrock), cases(arguments)):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
