"""Plays a scripted answer: the pieces of one response.

PLAYBACK-1. The tokens of all blocks count towards `max_tokens`, in order. The block
    that exceeds the limit is truncated there, and no block follows.
PLAYBACK-2. A truncated reasoning block has no signature, and a truncated text block has
    no citations.
PLAYBACK-3. A stop sequence ends the answer before it, if its last token is within
    `max_tokens`.
PLAYBACK-4. A continuation starts after the prefill. It skips the blocks before the end
    of the prefill's text, and before the last of its server tool blocks.
PLAYBACK-5. A `ServerBlock` comes complete or not at all, and costs the tokens of its
    `input`. A `Pause` ends the response. A continuation from there skips it.
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
    """The played part of one block.

    Attributes:
        pieces: The pieces, without the `BlockEnd`.
        tokens: Output tokens of the part.
        stop_reason: Why the answer ends in this block; None if it does not.
    """

    pieces: list[Piece]
    tokens: int
    stop_reason: str | None = None


def play(answer: Answer, request: Request, turn: int) -> list[Piece]:
    """Return the pieces of the response to a request.

    Args:
        answer: The complete answer of this turn.
        request: The request. Its prefill, if it has one, is the part that was already
            generated.
        turn: Number of the turn, for the ids of tool calls.
    """
    pieces: list[Piece] = []
    used, stop_reason = 0, None
    for i, block in blocks_after_prefill(answer.blocks, request):
        if used >= request.max_tokens:
            break
        block_with_id = _with_tool_use_id(block, f"tooluse_{turn}_{i}")
        budget = request.max_tokens - used
        part = _part(block_with_id, answer, request.stop_sequences, budget)
        pieces += [*part.pieces, BlockEnd()] if part.pieces else []
        used += part.tokens
        if stop_reason := part.stop_reason:
            break
    if stop_reason is None:
        within = used < request.max_tokens
        stop_reason = _stop_reason(answer) if within else "max_tokens"
    return [*pieces, Finish(stop_reason, used, answer.additional_fields)]


def _stop_reason(answer: Answer) -> str:
    calls = answer.blocks and isinstance(answer.blocks[-1], CallTool)
    return answer.stop_reason or ("tool_use" if calls else "end_turn")


def _with_tool_use_id(block: Block, tool_use_id: str) -> Block:
    if isinstance(block, CallTool) and not block.tool_use_id:
        return replace(block, tool_use_id=tool_use_id)
    return block


# Where a continuation starts.


def prefill_text(request: Request) -> str:
    """Return the text of the final assistant message; empty if there is none.

    Args:
        request: The request.
    """
    last = request.messages[-1]
    if last["role"] != "assistant":
        return ""
    return "".join(map(_block_text, last["content"]))


def _block_text(block: Json) -> str:
    cited = (block.get("citationsContent") or {}).get("content") or []
    text: str = block.get("text", "")
    return text + "".join(part.get("text", "") for part in cited)


def blocks_after_prefill(
    blocks: Sequence[Block], request: Request
) -> list[tuple[int, Block]]:
    """Return the blocks after the final assistant message, with their indexes.

    Args:
        blocks: The blocks of the answer (PLAYBACK-4, PLAYBACK-5).
        request: The request.
    """
    rest = remaining(blocks, prefill_text(request))
    sent = _server_ids(request)
    last_sent = max((i for i, b in rest if _server_id(b) in sent), default=-1)
    rest = [(i, block) for i, block in rest if i > last_sent]
    continues = request.messages[-1]["role"] == "assistant"
    return rest[1:] if continues and rest and isinstance(rest[0][1], Pause) else rest


def _server_ids(request: Request) -> set[tuple[str, str]]:
    """Return the ids of the final assistant message's server tool blocks."""
    last = request.messages[-1]
    blocks = last["content"] if last["role"] == "assistant" else []
    return {server_id for block in blocks if (server_id := server_tool_id(block))}


def _server_id(block: Block) -> tuple[str, str] | None:
    if not isinstance(block, ServerBlock):
        return None
    return server_tool_id(to_converse(block.block))


def remaining(blocks: Sequence[Block], prefill: str) -> list[tuple[int, Block]]:
    """Return the blocks after the prefill's text, with their indexes (PLAYBACK-4).

    Args:
        blocks: The blocks of the answer.
        prefill: The beginning of the answer's text. Another text skips nothing.
    """
    full_text = "".join(block.text for block in blocks if isinstance(block, Say))
    to_skip = len(prefill) if full_text.startswith(prefill) else 0
    rest: list[tuple[int, Block]] = []
    for i, block in enumerate(blocks):
        if not to_skip:
            rest.append((i, block))
        elif isinstance(block, Say):
            if text := block.text[to_skip:]:
                rest.append((i, replace(block, text=text)))
            to_skip = max(0, to_skip - len(block.text))
    return rest


# One block, within a budget of tokens.


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
    stop_start, stop_end = _first_stop(say.text, stops)
    if stop_start is not None:
        needed = _tokens_to(tokens, stop_end)
        if needed <= budget:
            pieces = [Text(t) for t in _first_characters(tokens, stop_start)]
            return Part([*pieces], needed, "stop_sequence")
    if len(tokens) > budget:
        return Part([Text(t) for t in tokens[:budget]], budget, "max_tokens")
    cited = [Citation(c) for c in say.citations]
    return Part([*map(Text, tokens), *cited], len(tokens))


def _first_stop(text: str, stops: Sequence[str]) -> tuple[int | None, int]:
    """Return start and end of the stop sequence that is complete first."""
    found = [(text.find(s) + len(s), text.find(s)) for s in stops if s in text]
    end, start = min(found, default=(0, None))
    return start, end


def _tokens_to(tokens: Sequence[str], characters: int) -> int:
    """Return the number of tokens that hold the first `characters` characters."""
    length = 0
    for i, token in enumerate(tokens):
        length += len(token)
        if length >= characters:
            return i + 1
    return len(tokens)


def _first_characters(tokens: Sequence[str], characters: int) -> Iterator[str]:
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
    tool_input = server.block.get("input")
    tokens = len(tokenize(json.dumps(tool_input))) if tool_input else 0
    if tokens > budget:
        return Part([], budget, "max_tokens")
    return Part([server], tokens)


def _call(call: CallTool, answer: Answer, budget: int) -> Part:
    fragments = _by_token(call) if answer.fine_grained else _by_key(call)
    # Bedrock starts a tool call's input with an empty fragment.
    start: list[Piece] = [ToolStart(call.tool_use_id, call.name), ToolInput("")]
    fitting, used = _fitting(fragments, budget)
    if len(fitting) == len(fragments):
        return Part([*start, *map(ToolInput, fitting)], used)
    if answer.truncated_tool_input == "empty" and not answer.fine_grained:
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
    return tokenize(call.json_text or json.dumps(call.input, ensure_ascii=False))


def _by_key(call: CallTool) -> list[str]:
    """Return the input's JSON, split before each comma between two members."""
    if call.json_text:
        return [call.json_text]
    pairs = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in call.input.items()
    ]
    members = [("{" if i == 0 else ", ") + pair for i, pair in enumerate(pairs)]
    return [*members, "}"] if members else ["{}"]
