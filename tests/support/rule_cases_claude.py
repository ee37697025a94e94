"""Cases for the rules on prefill, paused turns and server tools; see `rule_cases`."""

from tests.support.rule_requests import (
    CLAUDE_3_5,
    CLAUDE_4_5,
    CLAUDE_5,
    LLAMA,
    MISTRAL,
    NO_PREFILL_BEDROCK,
    NO_PREFILL_CLAUDE,
    NOVA,
    PREFILL_CONFLICT,
    SCHEMA,
    THINKING,
    TOOLS,
    VENDOR,
    Json,
    assistant,
    body,
    reasoning,
    tool_use,
    user,
)

SERVER_USE = {
    "toolUse": {
        "toolUseId": "s1",
        "name": "web_search",
        "input": {"query": "q"},
        "type": "server_tool_use",
    }
}
SERVER_RESULT = {
    "toolResult": {
        "toolUseId": "s1",
        "content": [{"json": []}],
        "type": "web_search_tool_result",
    }
}

ADAPTIVE = {"thinking": {"type": "adaptive"}}

CASES: list[tuple[str, str, Json, str | None]] = [
    # prefill
    ("prefill, Claude 3.5", CLAUDE_3_5, body(user("a"), assistant("b")), None),
    ("prefill, Claude 4.5", CLAUDE_4_5, body(user("a"), assistant("b")), None),
    ("prefill, Nova", NOVA, body(user("a"), assistant("b")), None),
    (
        "prefill, Claude 5",
        CLAUDE_5,
        body(user("a"), assistant("b")),
        NO_PREFILL_CLAUDE,
    ),
    ("prefill, Llama", LLAMA, body(user("a"), assistant("b")), NO_PREFILL_BEDROCK),
    ("prefill, Mistral", MISTRAL, body(user("a"), assistant("b")), NO_PREFILL_BEDROCK),
    (
        "prefill with tools, Claude 3.5",
        CLAUDE_3_5,
        body(user("a"), assistant("b"), toolConfig=TOOLS),
        VENDOR + PREFILL_CONFLICT.format("tools"),
    ),
    (
        "prefill with tools, Claude 4.5",
        CLAUDE_4_5,
        body(user("a"), assistant("b"), toolConfig=TOOLS),
        None,
    ),
    (
        "prefill with a schema",
        CLAUDE_4_5,
        body(user("a"), assistant("b"), outputConfig=SCHEMA),
        VENDOR + PREFILL_CONFLICT.format("output format"),
    ),
    (
        "a schema without prefill",
        CLAUDE_4_5,
        body(user("a"), outputConfig=SCHEMA),
        None,
    ),
    (
        "prefill with thinking",
        CLAUDE_4_5,
        body(user("a"), assistant("b"), additionalModelRequestFields=THINKING),
        VENDOR + "messages.1.content.0.type: Expected `thinking` or "
        "`redacted_thinking`, but found `text`. When `thinking` is enabled, a final "
        "`assistant` message must start with a thinking block (preceeding the lastmost "
        "set of `tool_use` and `tool_result` blocks). We recommend you include "
        "thinking blocks from previous turns. To avoid this requirement, disable "
        "`thinking`. Please consult our documentation at "
        "https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
    ),
    (
        "reasoning and text as prefill, with thinking",
        CLAUDE_4_5,
        body(
            user("a"),
            assistant(reasoning("b", signature="s"), "c"),
            additionalModelRequestFields=THINKING,
        ),
        VENDOR + "Prefilling assistant messages is not supported for this model.",
    ),
    (
        "reasoning last",
        CLAUDE_4_5,
        body(user("a"), assistant("b", reasoning("c", signature="s"))),
        VENDOR + "messages.1: The final block in an assistant message cannot be "
        "`thinking`.",
    ),
    (
        "a message of reasoning only, Claude 5",
        CLAUDE_5,
        body(user("a"), assistant(reasoning("b", signature="s")), user("c")),
        NO_PREFILL_CLAUDE,
    ),
    (
        "a message of reasoning only, Claude 4.5",
        CLAUDE_4_5,
        body(user("a"), assistant(reasoning("b", signature="s")), user("c")),
        None,
    ),
    (
        "trailing whitespace",
        CLAUDE_3_5,
        body(user("a"), assistant("b\n")),
        VENDOR + "messages: final assistant content cannot end with trailing "
        "whitespace",
    ),
    ("trailing whitespace, Nova", NOVA, body(user("a"), assistant("b\n")), None),
    (
        "trailing whitespace in the history",
        CLAUDE_3_5,
        body(user("a"), assistant("b\n"), user("c")),
        None,
    ),
    # paused turns and server tools
    (
        "a paused turn",
        CLAUDE_5,
        body(user("a"), assistant("b", SERVER_USE), toolConfig=TOOLS),
        None,
    ),
    (
        "a paused turn with its result, on thinking",
        CLAUDE_5,
        body(
            user("a"),
            assistant("b", SERVER_USE, SERVER_RESULT, "c "),
            toolConfig=TOOLS,
            additionalModelRequestFields=ADAPTIVE,
        ),
        None,
    ),
    (
        "a paused turn before a user turn",
        CLAUDE_5,
        body(user("a"), assistant("b", SERVER_USE), user("c"), toolConfig=TOOLS),
        VENDOR + "messages.1: `web_search` tool use with id `s1` was found without a "
        "corresponding `web_search_tool_result` block",
    ),
    (
        "a finished turn with a server tool",
        CLAUDE_5,
        body(
            user("a"),
            assistant("b", SERVER_USE, SERVER_RESULT, "c"),
            user("d"),
            toolConfig=TOOLS,
        ),
        None,
    ),
    (
        "a tool of the caller is not a server tool",
        CLAUDE_5,
        body(user("a"), assistant("b", tool_use("t1")), toolConfig=TOOLS),
        NO_PREFILL_CLAUDE,
    ),
]
