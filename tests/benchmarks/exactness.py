"""Are continued answers the uncut ones, byte for byte? Asked of real models.

    python -m tests.benchmarks.exactness --weights smollm2
    python -m tests.benchmarks.exactness --weights qwen2.5-coder

Each question is answered once in one response, by ChatBedrockConverse, and then by
ChatBedrockContinuing with a small `max_tokens`, both at temperature 0 through the local
endpoint. An answer counts as the same if every byte of the uncut one is there; where
that one ended at its own limit, the continued answer is compared as far as it goes.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import LocalBedrock
from langchain_bedrock_continue.local.llama.backend import LlamaBackend
from langchain_bedrock_continue.local.llama.server import (
    ServerSettings,
    acquire,
    release,
)
from langchain_bedrock_continue.local.llama.weights import weights_path
from tests.benchmarks.cuts import Model
from tests.benchmarks.prompts import PROMPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Strategy: TypeAlias = Literal["prefill", "user_turn"]

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
"""Rules that take a prefill; the weights are the local model's."""


@dataclass(frozen=True)
class Uncut:
    """An answer in one response."""

    text: str
    ended: bool


@dataclass(frozen=True)
class Comparison:
    """One continued answer beside its uncut one."""

    kind: str
    prompt: str
    max_tokens: int
    segments: int
    same: bool
    first_difference: str


def uncut_answer(bedrock: LocalBedrock, prompt: str, tokens: int) -> Uncut:
    """Answer in one response."""
    llm = ChatBedrockConverse(
        model=MODEL, max_tokens=tokens, temperature=0, **bedrock.client_kwargs()
    )
    message = llm.invoke(prompt)
    return Uncut(message.text, message.response_metadata["stopReason"] == "end_turn")


def compare(
    bedrock: LocalBedrock,
    question: tuple[str, str],
    uncut: Uncut,
    max_tokens: int,
    strategy: Strategy = "prefill",
) -> Comparison:
    """Answer again in segments, as a stream, and look for the first difference."""
    kind, prompt = question
    llm = ChatBedrockContinuing(
        model=MODEL,
        strategy=strategy,
        max_tokens=max_tokens,
        max_continuations=2 * math.ceil(len(uncut.text.encode()) / max_tokens),
        temperature=0,
        **bedrock.client_kwargs(),
    )
    text, segments = "", 0
    for chunk in llm.stream(prompt):
        text += chunk.text
        if not uncut.ended and len(text) >= len(uncut.text):
            break
        segments = len(
            chunk.response_metadata.get("continuation", {}).get("segments", ())
        )
    shown = text if uncut.ended else text[: len(uncut.text)]
    same = shown == uncut.text
    return Comparison(
        kind, prompt, max_tokens, segments, same, "" if same else where(uncut, shown)
    )


def where(uncut: Uncut, shown: str) -> str:
    """Show the place of the first difference, in both."""
    at = next(
        (i for i, (a, b) in enumerate(zip(uncut.text, shown, strict=False)) if a != b),
        min(len(uncut.text), len(shown)),
    )
    return (
        f"at {at}: {uncut.text[max(0, at - 30) : at]!r} then "
        f"{uncut.text[at : at + 30]!r}, got {shown[at : at + 30]!r}"
    )


def comparisons(  # noqa: PLR0913 - the knobs of the benchmark
    bedrock: LocalBedrock,
    kinds: Sequence[str],
    cuts: Sequence[int],
    *,
    tokens: int,
    each: int,
    strategy: Strategy = "prefill",
) -> Iterator[Comparison]:
    """Compare every question at every cut."""
    for kind in kinds:
        for prompt in PROMPTS[kind][:each]:
            uncut = uncut_answer(bedrock, prompt, tokens)
            for max_tokens in cuts:
                yield compare(bedrock, (kind, prompt), uncut, max_tokens, strategy)


def table(results: Sequence[Comparison], cuts: Sequence[int]) -> str:
    """Count the answers that are the same, by kind and cut."""
    kinds = list(dict.fromkeys(result.kind for result in results))
    head = "kind".ljust(10) + "".join(f"{f'cut {cut}':>10}" for cut in cuts)
    lines = [head]
    for kind in [*kinds, "all"]:
        line = kind.ljust(10)
        for cut in cuts:
            cell = [
                result.same
                for result in results
                if result.max_tokens == cut and kind in {result.kind, "all"}
            ]
            line += f"{f'{sum(cell)}/{len(cell)}':>10}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Print the table, and where an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="smollm2")
    parser.add_argument("--cuts", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--tokens", type=int, default=300, help="of an uncut answer")
    parser.add_argument("--kinds", nargs="+", default=list(PROMPTS), choices=PROMPTS)
    parser.add_argument("--each", type=int, default=5, help="questions of a kind")
    parser.add_argument(
        "--strategy", default="prefill", choices=["prefill", "user_turn"]
    )
    args = parser.parse_args()
    results = []
    settings = ServerSettings(weights_path(args.weights), 1, 8192)
    with LocalBedrock(LlamaBackend(settings.path)) as bedrock:
        model = Model(acquire(settings))
        for result in comparisons(
            bedrock,
            args.kinds,
            args.cuts,
            tokens=args.tokens,
            each=args.each,
            strategy=args.strategy,
        ):
            results.append(result)
            if not result.same:
                print(f"{result.kind}, cut {result.max_tokens}: {result.prompt}")
                print(f"    {result.first_difference}")
                if model.respells(result.prompt, args.tokens):
                    print("    (its text reads as other tokens than it was written in)")
        release(settings)
    print(f"\n{args.weights}, {args.strategy}: answers byte-identical to uncut ones")
    print(table(results, args.cuts))


if __name__ == "__main__":
    main()
