"""Cases for the rules on thinking, sent back and requested; see `rule_cases`."""

from langchain_bedrock_continue.local.rules.thinking_binding import Conversation
from tests.support.rule_requests import (
    CLAUDE_4_5,
    CLAUDE_5,
    NOVA,
    THINKING,
    TOOLS,
    VENDOR,
    Json,
    assistant,
    body,
    reasoning,
    user,
)

_CONVERSATION = Conversation([], None)
_CONVERSATION.add("user", {"text": "a"})
BOUND_SIGNATURE = _CONVERSATION.bind("b", "s")
OPUS_5_5 = "us.anthropic.claude-opus-5-5"
BOUND_ELSEWHERE = (
    "Invalid `signature` in `thinking` block. The block is bound to a different "
    "conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)
ADAPTIVE = {"thinking": {"type": "adaptive"}}
DROP = {"prefix_mismatch_behavior": "drop_block"}
DROP_BLOCK = {"thinking": {"type": "adaptive", "block_binding": DROP}}

CASES: list[tuple[str, str, Json, str | None]] = [
    # reasoning
    (
        "unsigned reasoning",
        CLAUDE_5,
        body(user("a"), assistant(reasoning("b"), "c"), user("d")),
        VENDOR + "messages.1.content.0.thinking.signature: Field required",
    ),
    (
        "unsigned reasoning, Nova",
        NOVA,
        body(user("a"), assistant(reasoning("b"), "c"), user("d")),
        None,
    ),
    (
        "a budget over maxTokens",
        CLAUDE_4_5,
        body(
            user("a"),
            inferenceConfig={"maxTokens": 1024},
            additionalModelRequestFields=THINKING,
        ),
        VENDOR + "`max_tokens` must be greater than `thinking.budget_tokens`. Please "
        "consult our documentation at "
        "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
        "#max-tokens-and-context-window-size",
    ),
    (
        "thinking and temperature",
        CLAUDE_4_5,
        body(
            user("a"),
            inferenceConfig={"temperature": 0},
            additionalModelRequestFields=THINKING,
        ),
        VENDOR + "`temperature` may only be set to 1 when thinking is enabled. Please "
        "consult our documentation at "
        "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
        "#important-considerations-when-using-extended-thinking",
    ),
    (
        "an empty signature",
        CLAUDE_5,
        body(user("a"), assistant(reasoning("b", signature=""), "c"), user("d")),
        VENDOR + "messages.1.content.0.thinking.signature: Field required",
    ),
    (
        "signed reasoning",
        CLAUDE_5,
        body(user("a"), assistant(reasoning("b", signature="s"), "c"), user("d")),
        None,
    ),
    (
        "a signature of another text, bound thinking",
        OPUS_5_5,
        body(
            user("a"),
            assistant(reasoning("other", signature=BOUND_SIGNATURE), "c"),
            user("d"),
        ),
        VENDOR + "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        "any signature, bound thinking",
        OPUS_5_5,
        body(user("a"), assistant(reasoning("b", signature="s"), "c"), user("d")),
        VENDOR + "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    (
        "bound thinking at its place",
        OPUS_5_5,
        body(
            user("a"),
            assistant(reasoning("b", signature=BOUND_SIGNATURE), "c"),
            user("d"),
        ),
        None,
    ),
    (
        "bound thinking of another conversation",
        OPUS_5_5,
        body(
            user("A"),
            assistant(reasoning("b", signature=BOUND_SIGNATURE), "c"),
            user("d"),
        ),
        VENDOR + "messages.1.content.0: " + BOUND_ELSEWHERE,
    ),
    (
        "bound thinking of another conversation, dropped",
        OPUS_5_5,
        body(
            user("A"),
            assistant(reasoning("b", signature=BOUND_SIGNATURE), "c"),
            user("d"),
            additionalModelRequestFields=DROP_BLOCK,
        ),
        None,
    ),
    (
        "thinking of another conversation, Mythos 5.1",
        "anthropic.claude-mythos-5-1",
        body(
            user("A"),
            assistant(reasoning("b", signature=BOUND_SIGNATURE), "c"),
            user("d"),
        ),
        None,
    ),
    (
        "thinking and a forced tool",
        CLAUDE_4_5,
        body(
            user("a"),
            toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "f"}}},
            additionalModelRequestFields=ADAPTIVE,
        ),
        VENDOR + "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    (
        "thinking and any tool",
        CLAUDE_5,
        body(
            user("a"),
            toolConfig={**TOOLS, "toolChoice": {"any": {}}},
            additionalModelRequestFields=ADAPTIVE,
        ),
        VENDOR + "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    (
        "thinking and a free choice of tools",
        CLAUDE_5,
        body(
            user("a"),
            toolConfig={**TOOLS, "toolChoice": {"auto": {}}},
            additionalModelRequestFields=ADAPTIVE,
        ),
        None,
    ),
    (
        "a forced tool without thinking",
        CLAUDE_5,
        body(user("a"), toolConfig={**TOOLS, "toolChoice": {"any": {}}}),
        None,
    ),
]
