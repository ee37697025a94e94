"""How a scripted answer becomes the pieces of one response.

P1. Tokens of all blocks count against `max_tokens`, in order; the block in which they
    run out is cut there, and those behind it do not come.
P2. A cut reasoning block has no signature; a cut text block no citations.
P3. A stop sequence ends the answer before it, if its last token still was within
    `max_tokens`.
P4. A continuation begins behind the prefill, and skips the blocks that came before:
    those before the end of its text, and before the last of its server tool blocks.
P5. A `ServerBlock` comes whole or not at all, and costs the tokens of its `input`. A
    `Pause` ends the response; the continuation that begins there goes past it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from langchain_bedrock_continue.local.anthropic_server_tools import (
    server_tool_id,
    to_converse,
)
from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    Citation,
    Finish,
    Json,
    Piece,
    Reasoning,
    Request,
    ServerBlock,
    Text,
    ToolInput,
    ToolStart,
)
from langchain_bedrock_continue.local.script.answers import (
    Answer,
    CallTool,
    Pause,
    Say,
    Think,
)
from langchain_bedrock_continue.local.script.tokenizer import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_bedrock_continue.local.script.answers import Block


class Part(NamedTuple):
    """One block as far as it came: pieces, output tokens, and why the answer ends."""

    pieces: list[Piece]
    tokens: int
    ended: str | None = None


def play(answer: Answer, request: Request, turn: int) -> list[Piece]:
    """Make the pieces of the response to a request.

    Args:
        answer: What the model has to say in this turn.
        request: Its final assistant message, if it has one, is what was said already.
        turn: The turn's number, for the ids of tool calls.
    """
    pieces: list[Piece] = []
    used, ended = 0, None
    for i, block in unsaid(answer.blocks, request):
        if used >= request.max_tokens:
            break
        named = _named(block, f"tooluse_{turn}_{i}")
        part = _part(named, answer, request.stop_sequences, request.max_tokens - used)
        pieces += [*part.pieces, BlockEnd()] if part.pieces else []
        used += part.tokens
        if ended := part.ended:
            break
    if ended is None:
        ended = _stop_reason(answer) if used < request.max_tokens else "max_tokens"
    return [*pieces, Finish(ended, used, answer.additional_fields)]


def _stop_reason(answer: Answer) -> str:
    calls = answer.blocks and isinstance(answer.blocks[-1], CallTool)
    return answer.stop_reason or ("tool_use" if calls else "end_turn")


def _named(block: Block, tool_use_id: str) -> Block:
    if isinstance(block, CallTool) and not block.tool_use_id:
        return replace(block, tool_use_id=tool_use_id)
    return block


# Where the answer goes on.


def prefill_text(request: Request) -> str:
    """The text of the final assistant message; empty where there is none."""
    last = request.messages[-1]
    if last["role"] != "assistant":
        return ""
    return "".join(map(_block_text, last["content"]))


def _block_text(block: Json) -> str:
    cited = (block.get("citationsContent") or {}).get("content") or []
    text: str = block.get("text", "")
    return text + "".join(part.get("text", "") for part in cited)


def unsaid(blocks: Sequence[Block], request: Request) -> list[tuple[int, Block]]:
    """Number what is left of an answer behind the final assistant message (P4, P5)."""
    rest = remaining(blocks, prefill_text(request))
    known = _server_ids(request)
    done = max((i for i, b in rest if _server_id(b) in known), default=-1)
    rest = [(i, block) for i, block in rest if i > done]
    continues = request.messages[-1]["role"] == "assistant"
    return rest[1:] if continues and rest and isinstance(rest[0][1], Pause) else rest


def _server_ids(request: Request) -> set[tuple[str, str]]:
    """The server tool blocks of the final assistant message."""
    last = request.messages[-1]
    blocks = last["content"] if last["role"] == "assistant" else []
    return {server_id for block in blocks if (server_id := server_tool_id(block))}


def _server_id(block: Block) -> tuple[str, str] | None:
    if not isinstance(block, ServerBlock):
        return None
    return server_tool_id(to_converse(block.block))


def remaining(blocks: Sequence[Block], said: str) -> list[tuple[int, Block]]:
    """Number what is left of an answer when some of its text was said already (P4)."""
    whole = "".join(block.text for block in blocks if isinstance(block, Say))
    left = len(said) if whole.startswith(said) else 0
    rest: list[tuple[int, Block]] = []
    for i, block in enumerate(blocks):
        if not left:
            rest.append((i, block))
        elif isinstance(block, Say):
            if text := block.text[left:]:
                rest.append((i, replace(block, text=text)))
            left = max(0, left - len(block.text))
    return rest


# One block, within a number of tokens.


def _part(block: Block, answer: Answer, stops: Sequence[str], budget: int) -> Part:
    if isinstance(block, Say):
        return _say(block, stops, budget)
    if isinstance(block, Think):
        return _think(block, budget)
    if isinstance(block, Pause):
        return Part([], 0, "pause_turn")
    if isinstance(block, ServerBlock):
        return _server(block, budget)
    return _call(block, answer, budget)


def _say(say: Say, stops: Sequence[str], budget: int) -> Part:
    tokens = tokenize(say.text)
    stop, reach = _first_stop(say.text, stops)
    if stop is not None:
        needed = _tokens_to(tokens, reach)
        if needed <= budget:
            pieces = [Text(t) for t in _upto(tokens, stop)]
            return Part([*pieces], needed, "stop_sequence")
    if len(tokens) > budget:
        return Part([Text(t) for t in tokens[:budget]], budget, "max_tokens")
    cited = [Citation(c) for c in say.citations]
    return Part([*map(Text, tokens), *cited], len(tokens))


def _first_stop(text: str, stops: Sequence[str]) -> tuple[int | None, int]:
    """Where the stop sequence that is complete first begins and ends."""
    found = [(text.find(s) + len(s), text.find(s)) for s in stops if s in text]
    end, start = min(found, default=(0, None))
    return start, end


def _tokens_to(tokens: Sequence[str], characters: int) -> int:
    """How many tokens it takes to write so many characters."""
    length = 0
    for i, token in enumerate(tokens):
        length += len(token)
        if length >= characters:
            return i + 1
    return len(tokens)


def _upto(tokens: Sequence[str], characters: int) -> Iterator[str]:
    for token in tokens:
        if characters <= 0:
            return
        yield token[:characters]
        characters -= len(token)


def _think(think: Think, budget: int) -> Part:
    if think.redacted:
        return Part([Reasoning(redacted=think.redacted)], 1)
    tokens = tokenize(think.text)
    pieces: list[Piece] = [Reasoning(t) for t in tokens[:budget]]
    if len(tokens) > budget:
        return Part(pieces, budget, "max_tokens")
    signature = [Reasoning(signature=think.signature)] if think.signature else []
    return Part([*pieces, *signature], len(tokens))


def _server(server: ServerBlock, budget: int) -> Part:
    asked = server.block.get("input")
    tokens = len(tokenize(json.dumps(asked))) if asked else 0
    if tokens > budget:
        return Part([], budget, "max_tokens")
    return Part([server], tokens)


def _call(call: CallTool, answer: Answer, budget: int) -> Part:
    fragments = _by_token(call) if answer.fine_grained else _by_key(call)
    # Bedrock opens a tool call's input with an empty fragment.
    start: list[Piece] = [ToolStart(call.tool_use_id, call.name), ToolInput("")]
    fitting, used = _fitting(fragments, budget)
    if len(fitting) == len(fragments):
        return Part([*start, *map(ToolInput, fitting)], used)
    if answer.cut_tool_input == "empty" and not answer.fine_grained:
        fitting = []
    return Part([*start, *map(ToolInput, fitting)], budget, "max_tokens")


def _fitting(fragments: Sequence[str], budget: int) -> tuple[list[str], int]:
    used = 0
    for i, fragment in enumerate(fragments):
        tokens = len(tokenize(fragment))
        if used + tokens > budget:
            return list(fragments[:i]), used
        used += tokens
    return list(fragments), used


def _by_token(call: CallTool) -> list[str]:
    return tokenize(json.dumps(call.input, ensure_ascii=False))


def _by_key(call: CallTool) -> list[str]:
    """The input as JSON, split before each comma between two keys."""
    pairs = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in call.input.items()
    ]
    opened = [("{" if i == 0 else ", ") + pair for i, pair in enumerate(pairs)]
    return [*opened, "}"] if opened else ["{}"]
