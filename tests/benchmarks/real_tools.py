"""Are truncated tool calls and objects those of the uncut answer? On a real model.

    python -m tests.benchmarks.real_tools --weights qwen2.5-coder
    python -m tests.benchmarks.real_tools --batch 64 --only objects --cuts 32

Each prompt is answered once in one response, by ChatBedrockConverse, and then with a
`max_tokens` that truncates the call, all at temperature 0 through the local endpoint.
What counts is whether the arguments equal those of the uncut call:

    exact      they are equal
    other      the call is reported as valid, with other arguments
    refused    no valid call: it is in `invalid_tool_calls`, or the chain raises

For ChatBedrockConverse, `other` is a truncated call that an agent would run. With
"resume", no retry fits into `max_tokens_ceiling`, and the model writes the rest of the
arguments as text; a continuation may then word them differently, so `other` is a whole
call that matches the tool's schema.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_aws import ChatBedrockConverse
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_bedrock_continue import ChatBedrockContinuing, ContinuationError
from tests.benchmarks.real_answers import client_kwargs, endpoint
from tests.benchmarks.tool_prompts import PROMPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.language_models import BaseChatModel

    from langchain_bedrock_continue.local import LocalBedrock
    from tests.benchmarks.tool_prompts import ToolPrompt

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
"""Rules that take a prefill, also beside tools; the weights are the local model's."""

MOST_CALLS = 60
"""`max_continuations`: more than the longest call takes."""

Make: TypeAlias = Callable[["LocalBedrock", int], "BaseChatModel"]


def converse(bedrock: LocalBedrock, max_tokens: int) -> ChatBedrockConverse:
    """Return ChatBedrockConverse."""
    return ChatBedrockConverse(
        model=MODEL, max_tokens=max_tokens, temperature=0, **client_kwargs(bedrock)
    )


def continuing(bedrock: LocalBedrock, max_tokens: int, **fields: Any) -> BaseChatModel:
    """Return ChatBedrockContinuing."""
    return ChatBedrockContinuing(
        llm=converse(bedrock, max_tokens), max_continuations=MOST_CALLS, **fields
    )


def resuming(bedrock: LocalBedrock, max_tokens: int, **fields: Any) -> BaseChatModel:
    """Return it with no room for a retry, so that the arguments become text."""
    return continuing(
        bedrock,
        max_tokens,
        tool_call_recovery="resume",
        max_tokens_ceiling=max_tokens,
        **fields,
    )


CALLS: dict[str, Make] = {
    "ChatBedrockConverse": converse,
    "retry": continuing,
    "resume, prefill": lambda bedrock, n: resuming(bedrock, n, strategy="prefill"),
    "resume, user turn": lambda bedrock, n: resuming(bedrock, n, strategy="user_turn"),
}
"""How a truncated tool call is handled."""

OBJECTS: dict[str, str] = {
    "function_calling": "function_calling",
    "json_schema": "json_schema",
    "prompt_prefill": "prompt_prefill",
}
"""LangChain's methods of structured output."""


@dataclass(frozen=True)
class Measured:
    """One call, or one object, beside that of the uncut answer.

    Attributes:
        way: How it was made.
        tool: The tool that was asked for.
        max_tokens: The size of a segment.
        outcome: `exact`, `other` or `refused`.
        calls: How many calls of the model it took.
        output_tokens: Output tokens of all calls.
        uncut_tokens: Output tokens of the uncut answer.
    """

    way: str
    tool: str
    max_tokens: int
    outcome: str
    calls: int
    output_tokens: int
    uncut_tokens: int


@dataclass(frozen=True)
class Answered:
    """What came of a prompt: arguments or an object, or None, and what it took."""

    args: Any
    calls: int
    output_tokens: int


def called(llm: BaseChatModel, prompt: ToolPrompt) -> Answered:
    """Ask for a call of the tool, as a stream: Bedrock streams a call's fragments."""
    message: Any = AIMessageChunk(content="")
    try:
        for chunk in llm.bind_tools([prompt.definition]).stream(prompt.prompt):
            message += chunk
    except ContinuationError as error:
        message = error.partial
    calls = message.tool_calls
    return answered(message, calls[0]["args"] if len(calls) == 1 else None)


def structured(llm: BaseChatModel, prompt: ToolPrompt, method: str) -> Answered:
    """Ask for an object."""
    schema: Any = prompt.schema
    chain = llm.with_structured_output(schema, method=method, include_raw=True)
    result: Any = chain.invoke(prompt.prompt)
    error = result["parsing_error"]
    if error is not None and not isinstance(error, OutputParserException):
        raise error
    return answered(result["raw"], result["parsed"])


def answered(message: AIMessage, args: Any) -> Answered:
    """Return what a message says of its calls, beside the arguments."""
    turn = message.response_metadata.get("continuation", {})
    segments = turn.get("segments", [{}])
    used = turn.get("billed") or message.usage_metadata or {}
    return Answered(args, len(segments), used.get("output_tokens", 0))


def measured(
    bedrock: LocalBedrock, prompt: ToolPrompt, cuts: Sequence[int], tokens: int
) -> Iterator[Measured]:
    """Compare the truncated calls of a prompt with its uncut call."""
    uncut = called(converse(bedrock, tokens), prompt)
    if uncut.args is None or uncut.output_tokens >= tokens:
        print(f"{prompt.tool}: no complete call without a limit", file=sys.stderr)
        return
    for cut in cuts:
        for way, make in CALLS.items() if cut < uncut.output_tokens else ():
            yield compared(way, prompt, cut, called(make(bedrock, cut), prompt), uncut)


def measured_objects(
    bedrock: LocalBedrock, prompt: ToolPrompt, cuts: Sequence[int], tokens: int
) -> Iterator[Measured]:
    """Compare the truncated objects of a prompt with its uncut ones, by each method."""
    for method in OBJECTS:
        uncut = structured(converse(bedrock, tokens), prompt, method)
        if uncut.args is None or uncut.output_tokens >= tokens:
            print(f"{prompt.tool}, {method}: no complete object", file=sys.stderr)
            continue
        for cut in cuts:
            makers: dict[str, Make] = {"": converse, ", continued": continuing}
            for name, make in makers.items():
                if cut < uncut.output_tokens:
                    given = structured(make(bedrock, cut), prompt, method)
                    yield compared(method + name, prompt, cut, given, uncut)


def compared(
    way: str, prompt: ToolPrompt, cut: int, given: Answered, uncut: Answered
) -> Measured:
    """Return the outcome."""
    outcome = "exact" if given.args == uncut.args else "other"
    return Measured(
        way=way,
        tool=prompt.tool,
        max_tokens=cut,
        outcome="refused" if given.args is None else outcome,
        calls=given.calls,
        output_tokens=given.output_tokens,
        uncut_tokens=uncut.output_tokens,
    )


HEADS = ("n", "exact", "other", "refused", "calls", "tokens")


def table(results: Sequence[Measured]) -> str:
    """Return the figures by way: counts, calls of the model, tokens to those needed."""
    lines = ["".ljust(32) + "".join(f"{head:>9}" for head in HEADS)]
    for way in dict.fromkeys(one.way for one in results):
        mine = [one for one in results if one.way == way]
        sizes = sorted({one.max_tokens for one in mine})
        for size in sizes:
            some = [one for one in mine if one.max_tokens == size]
            lines.append(line(f"{way}, {size}", some))
    return "\n".join(lines)


def line(name: str, some: Sequence[Measured]) -> str:
    """Return one line of the table."""
    counts = [
        sum(one.outcome == outcome for one in some)
        for outcome in ("exact", "other", "refused")
    ]
    calls = sum(one.calls for one in some) / len(some)
    ratio = sum(one.output_tokens for one in some) / sum(
        one.uncut_tokens for one in some
    )
    cells = [len(some), *counts, f"{calls:.1f}", f"{ratio:.2f}"]
    return name.ljust(32) + "".join(f"{cell:>9}" for cell in cells)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weights", default="qwen2.5-coder")
    parser.add_argument("--cuts", type=int, nargs="+", default=[24, 48])
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--tokens", type=int, default=300, help="of an uncut answer")
    parser.add_argument("--only", choices=["calls", "objects"])
    parser.add_argument(
        "--batch", type=int, default=1, help="tokens of a prompt computed at once"
    )
    args = parser.parse_args()
    parts = {"calls": measured, "objects": measured_objects}
    with endpoint(args.weights, args.batch) as bedrock:
        for name, measure in parts.items():
            if args.only in {None, name}:
                results: list[Measured] = []
                for prompt in PROMPTS[: args.prompts]:
                    for one in measure(bedrock, prompt, args.cuts, args.tokens):
                        print(one, file=sys.stderr)
                        results.append(one)
                print(f"\n{args.weights}, {name}:")
                print(table(results))


if __name__ == "__main__":
    main()
