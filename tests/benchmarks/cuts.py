"""Where to cut a text that ends in whitespace: rules, measured on real models.

    python -m tests.benchmarks.cuts --weights qwen2.5-coder

Every answer is cut after each of its tokens that ends in whitespace other than one
plain blank. A rule decides what is kept, and the model continues from there at
temperature 0. The cut is healed if the model writes the same text as without the cut.
The benchmark calls the model directly, without Bedrock in between.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx

from langchain_bedrock_continue._core.text.healed_cut import TextBuffer
from langchain_bedrock_continue.local.llama.server import (
    ServerSettings,
    acquire,
    release,
)
from langchain_bedrock_continue.local.llama.weights import weights_path
from tests.benchmarks.prompts import PROMPTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AHEAD = 25
"""How many characters after the cut must be the same."""
WORDS_BACK = 60
"""How many characters `words_back` removes at most."""


def strip(text: str) -> str:
    """Remove the whitespace."""
    return text.rstrip()


def words_back(text: str) -> str:
    """Remove words, back to one plain blank."""
    body = text.rstrip()
    for at in range(len(body) - 2, max(1, len(body) - WORDS_BACK) - 1, -1):
        blank = text[at] == " "
        if blank and not (text[at + 1].isspace() or text[at - 1].isspace()):
            return text[:at]
    return body


def healed(text: str) -> str:
    """Cut as this package does."""
    run = TextBuffer()
    run.feed(text)
    run.end_for_prefill()
    return run.text


RULES: dict[str, Callable[[str], str]] = {
    "strip": strip,
    "words back": words_back,
    "healed (ours)": healed,
}


class Model:
    """A client of llama.cpp's server."""

    def __init__(self, address: str) -> None:
        """Connect to the server at this address."""
        self._http = httpx.Client(base_url=address, timeout=600)

    def post(self, path: str, **body: Any) -> Any:
        """Send a request and return the JSON of the response."""
        return self._http.post(path, json=body).raise_for_status().json()

    def prompt(self, question: str) -> str:
        """Return a question in the model's chat template."""
        messages = [{"role": "user", "content": question}]
        return str(self.post("/apply-template", messages=messages)["prompt"])

    def complete(self, prompt: str, tokens: int) -> dict[str, Any]:
        """Continue a text."""
        settings = {"temperature": 0, "return_tokens": True}
        answer: dict[str, Any] = self.post(
            "/completion", prompt=prompt, n_predict=tokens, **settings
        )
        return answer

    def text(self, tokens: list[int]) -> str:
        """Return the text of some tokens."""
        return str(self.post("/detokenize", tokens=tokens)["content"])

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens; the template's control tokens are recognized."""
        answer = self.post("/tokenize", content=text, parse_special=True)
        return list(answer["tokens"])

    def count(self, text: str) -> int:
        """Count a text's tokens."""
        return len(self.tokens(text))

    def respells(self, question: str, tokens: int) -> bool:
        """Return True if an answer's text has other tokens than the answer.

        Then no API that takes text can continue it exactly: the model reads other
        tokens than it wrote.
        """
        prompt = self.prompt(question)
        answer = self.complete(prompt, tokens)
        read = self.tokens(prompt + answer["content"])[self.count(prompt) :]
        written = answer["tokens"][: len(read)]
        return bool(read != written)


def cuts(model: Model, answer: dict[str, Any]) -> Iterator[str]:
    """Return the starts of an answer that end in whitespace other than one blank."""
    complete, tokens = answer["content"], answer["tokens"]
    for end in range(4, len(tokens) - 12):
        text = model.text(tokens[:end])
        removed = text[len(text.rstrip()) :]
        if complete.startswith(text) and text.strip() and removed not in {"", " "}:
            yield text


def continues_exactly(
    model: Model, prompt: str, answer: str, text: str, kept: str
) -> bool:
    """Return True if the model continues what is kept as it did without a cut."""
    wanted = answer[len(kept) : len(text) + AHEAD]
    written = model.complete(prompt + kept, model.count(wanted) + 4)["content"]
    return str(written).startswith(wanted)


def measure(model: Model, tokens: int, each: int) -> Counter[tuple[str, str, bool]]:
    """Count the cuts by kind, rule and outcome."""
    outcomes: Counter[tuple[str, str, bool]] = Counter()
    for kind, questions in PROMPTS.items():
        for question in questions[:each]:
            prompt = model.prompt(question)
            answer = model.complete(prompt, tokens)
            for text in cuts(model, answer):
                by_kept: dict[str, bool] = {}
                for rule, keep in RULES.items():
                    kept = keep(text)
                    if kept not in by_kept:
                        by_kept[kept] = continues_exactly(
                            model, prompt, answer["content"], text, kept
                        )
                    outcomes[kind, rule, by_kept[kept]] += 1
    return outcomes


def table(outcomes: Counter[tuple[str, str, bool]]) -> str:
    """Format the share of healed cuts by kind and rule."""
    lines = ["kind".ljust(10) + "".join(rule.rjust(16) for rule in RULES)]
    for kind in [*PROMPTS, "all"]:
        line = kind.ljust(10)
        for rule in RULES:
            kinds = PROMPTS if kind == "all" else [kind]
            good = sum(outcomes[one, rule, True] for one in kinds)
            bad = sum(outcomes[one, rule, False] for one in kinds)
            line += f"{good}/{good + bad}".rjust(16)
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="smollm2")
    parser.add_argument("--tokens", type=int, default=300, help="of an answer")
    parser.add_argument("--each", type=int, default=5, help="questions of a kind")
    args = parser.parse_args()
    settings = ServerSettings(weights_path(args.weights), 1, 4096)
    model = Model(acquire(settings))
    try:
        outcomes = measure(model, args.tokens, args.each)
    finally:
        release(settings)
    print(f"{args.weights}: cuts after whitespace that continue exactly, by rule")
    print(table(outcomes))


if __name__ == "__main__":
    main()
