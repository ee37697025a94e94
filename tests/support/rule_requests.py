"""Short builders of requests for the rules of the local endpoint."""

from typing import Any

CLAUDE_3_5 = "anthropic.claude-3-5-sonnet-20241022-v2:0"
CLAUDE_4_5 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE_5 = "us.anthropic.claude-sonnet-5"
NOVA = "us.amazon.nova-lite-v1:0"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
MISTRAL = "mistral.mistral-large-2402-v1:0"

VENDOR = "The model returned the following errors: "
NO_PREFILL_CLAUDE = (
    "The model returned the following errors: This model does not support assistant "
    "message prefill. The conversation must end with a user message."
)
NO_PREFILL_BEDROCK = (
    "The model that you are using requires the last turn in the conversation to be a "
    "user message. Add a user message to the conversation and try again."
)
PREFILL_CONFLICT = (
    "Your API request included an `assistant` message in the final position, which "
    "would pre-fill the `assistant` response. When using {}, pre-filling the "
    "`assistant` response is not supported."
)

Json = dict[str, Any]


def user(*blocks: str | Json) -> Json:
    return {"role": "user", "content": [_block(b) for b in blocks]}


def assistant(*blocks: str | Json) -> Json:
    return {"role": "assistant", "content": [_block(b) for b in blocks]}


def _block(block: str | Json) -> Json:
    return {"text": block} if isinstance(block, str) else block


def body(*messages: Json, **fields: Any) -> Json:
    return {"messages": list(messages), **fields}


def reasoning(text: str, **signature: str) -> Json:
    return {"reasoningContent": {"reasoningText": {"text": text, **signature}}}


def tool_use(tool_use_id: str) -> Json:
    return {"toolUse": {"toolUseId": tool_use_id, "name": "f", "input": {}}}


def tool_result(tool_use_id: str) -> Json:
    return {"toolResult": {"toolUseId": tool_use_id, "content": [{"text": "1"}]}}


CACHE_POINT = {"cachePoint": {"type": "default"}}
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
SCHEMA = {"textFormat": {"type": "json_schema"}}
