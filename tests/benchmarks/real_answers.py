"""A real model's uncut answers, and where `max_tokens` would truncate them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config
from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue._check import figures
from langchain_bedrock_continue.local import LocalBedrock
from langchain_bedrock_continue.local.llama.backend import LlamaBackend
from langchain_bedrock_continue.local.llama.weights import WEIGHTS
from tests.benchmarks.real_responses import KeptResponses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_bedrock_continue._check.well_formed import Kind

MODEL = "us.anthropic.claude-3-5-sonnet-20241022-v2:0"
"""Rules that take a prefill; the weights are the local model's."""

LONGEST_CALL = 1_800
"""How long a call may take, in seconds."""

FOLLOWING = 100
"""How many characters of the uncut answer must follow a seam."""


class Question(NamedTuple):
    """A prompt and its kind."""

    kind: Kind
    prompt: str


@dataclass(frozen=True)
class Uncut:
    """An answer in one response.

    Attributes:
        text: The answer.
        ended: Whether the model ended it, and not the limit.
        ends: Where its chunks end: offsets in characters. A chunk is a token, or more
            if a character takes several.
    """

    text: str
    ended: bool
    ends: list[int]

    @property
    def tokens(self) -> int:
        """About how many tokens it has."""
        return len(self.ends)


@dataclass(frozen=True)
class Cut:
    """A place where an answer is truncated.

    Attributes:
        max_tokens: The limit of a segment.
        at: Offset in the uncut answer, in characters.
    """

    max_tokens: int
    at: int


def endpoint(
    weights: str, batch_tokens: int, responses: Path | None = None
) -> LocalBedrock:
    """Return a Bedrock endpoint with a real model.

    Args:
        weights: `"smollm2"`, `"qwen2.5-coder"`, or the path of a GGUF file.
        batch_tokens: How many tokens of a prompt are computed at once.
        responses: A file that keeps the model's responses, or None.
    """
    named = weights if weights in WEIGHTS else Path(weights)
    model = LlamaBackend(named, batch_tokens=batch_tokens)
    return LocalBedrock(KeptResponses(model, responses) if responses else model)


def client_kwargs(bedrock: LocalBedrock) -> dict[str, Any]:
    """Return the arguments of a client that waits for a slow model.

    botocore waits 60 seconds, and then asks again: the answer is generated twice.
    """
    config = Config(read_timeout=LONGEST_CALL, retries={"total_max_attempts": 1})
    return {**bedrock.client_kwargs(), "config": config}


def bare_model(bedrock: LocalBedrock, max_tokens: int) -> ChatBedrockConverse:
    """Return ChatBedrockConverse at temperature 0."""
    return ChatBedrockConverse(
        model=MODEL, max_tokens=max_tokens, temperature=0, **client_kwargs(bedrock)
    )


def uncut_answer(bedrock: LocalBedrock, prompt: str, tokens: int) -> Uncut:
    """Answer in one response."""
    text, ends, reason = "", [0], None
    for chunk in bare_model(bedrock, tokens).stream(prompt):
        text += chunk.text
        if len(text) > ends[-1]:
            ends.append(len(text))
        reason = chunk.response_metadata.get("stopReason", reason)
    return Uncut(text, reason == "end_turn", ends[1:])


def cuts(uncut: Uncut, sizes: Sequence[int], each: int) -> Iterator[Cut]:
    """Return where to cut an answer, each place once, the first places first.

    A place belongs to the largest size that it is a multiple of: for sizes of 32 and
    64, the cuts of 32 are at 32, 96, ..., and those of 64 at 64, 128, .... An answer
    that repeats itself is cut no further: there, a repetition is natural.

    Args:
        uncut: The answer.
        sizes: The sizes of a segment, in tokens.
        each: The most places of a size.
    """
    found = dict.fromkeys(sizes, 0)
    for tokens, at in enumerate(uncut.ends, 1):
        fitting = [size for size in sizes if tokens % size == 0]
        if not fitting or len(uncut.text) - at < FOLLOWING:
            continue
        if figures.repeated(uncut.text, at, at + 2 * figures.DOUBLED):
            return
        size = max(fitting)
        if found[size] < each and uncut.text[:at].strip():
            found[size] += 1
            yield Cut(size, at)


class Answers:
    """The uncut answers of one model, each asked for once.

    Args:
        bedrock: The endpoint.
        tokens: The most tokens of an answer.
        file: A JSON file to keep them in, or None.
    """

    def __init__(
        self, bedrock: LocalBedrock, tokens: int, file: Path | None = None
    ) -> None:
        """Read the file, if there is one; see the class."""
        self._bedrock = bedrock
        self._tokens = tokens
        self._file = file
        kept = json.loads(file.read_text()) if file and file.exists() else {}
        self._answers = {key: Uncut(**value) for key, value in kept.items()}

    def uncut(self, prompt: str) -> Uncut:
        """Return the uncut answer to a prompt."""
        key = f"{self._tokens} {prompt}"
        if key not in self._answers:
            self._answers[key] = uncut_answer(self._bedrock, prompt, self._tokens)
            self._keep()
        return self._answers[key]

    def _keep(self) -> None:
        if self._file:
            kept = {key: asdict(uncut) for key, uncut in self._answers.items()}
            self._file.write_text(json.dumps(kept, ensure_ascii=False, indent=1))


def share(values: Sequence[bool]) -> str:
    """Return the share of the true ones, or a dash if there is none to count."""
    return f"{sum(values) / len(values):.2f}" if values else "-"
