"""Cases for the rules on conversations, numbers and tools, with texts.

Each case is: name, model id, body, and the exact error text, or None.
"""

from tests.support.rule_requests import (
    CLAUDE_3_5,
    CLAUDE_4_5,
    CLAUDE_5,
    NOVA,
    TOOLS,
    VENDOR,
    Json,
    assistant,
    body,
    tool_result,
    tool_use,
    user,
)

CASES: list[tuple[str, str, Json, str | None]] = [
    # messages
    ("legal", CLAUDE_3_5, body(user("Hi")), None),
    (
        "no messages",
        CLAUDE_3_5,
        body(),
        (
            "A conversation must start with a user message. Try again with a "
            "conversation that starts with a user message."
        ),
    ),
    (
        "assistant first",
        CLAUDE_3_5,
        body(assistant("Hi"), user("Hi")),
        (
            "A conversation must start with a user message. Try again with a "
            "conversation that starts with a user message."
        ),
    ),
    (
        "same role twice",
        CLAUDE_3_5,
        body(user("a"), user("b")),
        (
            "A conversation must alternate between user and assistant roles. Make sure "
            "the conversation alternates between user and assistant roles and try "
            "again."
        ),
    ),
    (
        "an unknown role",
        CLAUDE_3_5,
        body(user("a"), {"role": "tool", "content": [{"text": "b"}]}),
        (
            "1 validation error detected: "
            "Value 'tool' at 'messages.2.member.role' failed to satisfy constraint: "
            "Member must satisfy enum value set: [user, assistant]"
        ),
    ),
    (
        "a system message between",
        CLAUDE_5,
        body(user("a"), {"role": "system", "content": [{"text": "b"}]}),
        None,
    ),
    (
        "empty content",
        CLAUDE_3_5,
        body(user("a"), assistant()),
        (
            "The content field in the Message object at messages.1 is empty. Add a "
            "ContentBlock object to the content field and try again."
        ),
    ),
    (
        "blank text",
        CLAUDE_3_5,
        body(user("a"), assistant("")),
        (
            "The text field in the ContentBlock object at messages.1.content.0 is "
            "blank. Add text to the text field, and try again."
        ),
    ),
    (
        "whitespace, Nova",
        NOVA,
        body(user("a", " \n")),
        (
            "The text field in the ContentBlock object at messages.0.content.1 is "
            "blank. Add text to the text field, and try again."
        ),
    ),
    (
        "whitespace, Claude",
        CLAUDE_3_5,
        body(user("a", " \n")),
        VENDOR + "messages: text content blocks must contain non-whitespace text",
    ),
    # numbers
    (
        "maxTokens 0",
        CLAUDE_3_5,
        body(user("a"), inferenceConfig={"maxTokens": 0}),
        (
            "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        ),
    ),
    (
        "maxTokens over the limit",
        CLAUDE_3_5,
        body(user("a"), inferenceConfig={"maxTokens": 8193}),
        (
            "The maximum tokens you requested exceeds the model limit of 8192. Try "
            "again with a maximum tokens value that is lower than 8192."
        ),
    ),
    (
        "maxTokens at the limit",
        CLAUDE_3_5,
        body(user("a"), inferenceConfig={"maxTokens": 8192}),
        None,
    ),
    (
        "temperature",
        NOVA,
        body(user("a"), inferenceConfig={"temperature": 1.5}),
        (
            "Value '1.5' at 'inferenceConfig.temperature' failed to satisfy "
            "constraint: Member must have value less than or equal to 1"
        ),
    ),
    (
        "topP",
        NOVA,
        body(user("a"), inferenceConfig={"topP": -0.5}),
        (
            "Value '-0.5' at 'inferenceConfig.topP' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0"
        ),
    ),
    (
        "both samplers",
        CLAUDE_4_5,
        body(user("a"), inferenceConfig={"temperature": 1, "topP": 1}),
        VENDOR + "`temperature` and `top_p` cannot both be specified for this model. "
        "Please use only one.",
    ),
    (
        "both samplers, older",
        CLAUDE_3_5,
        body(user("a"), inferenceConfig={"temperature": 1, "topP": 1}),
        None,
    ),
    (
        "whitespace stop",
        CLAUDE_3_5,
        body(user("a"), inferenceConfig={"stopSequences": ["x", "\n"]}),
        VENDOR + "stop_sequences: each stop sequence must contain non-whitespace",
    ),
    # tools
    (
        "tool blocks without tools",
        CLAUDE_3_5,
        body(user("a"), assistant(tool_use("t1")), user(tool_result("t1"))),
        (
            "The toolConfig field must be defined when using toolUse and toolResult "
            "content blocks."
        ),
    ),
    (
        "tool results",
        CLAUDE_3_5,
        body(
            user("a"),
            assistant(tool_use("t1")),
            user(tool_result("t1"), "b"),
            toolConfig=TOOLS,
        ),
        None,
    ),
    (
        "missing tool results",
        CLAUDE_3_5,
        body(
            user("a"),
            assistant(tool_use("t1"), tool_use("t2"), tool_use("t3")),
            user(tool_result("t2")),
            toolConfig=TOOLS,
        ),
        (
            "Expected toolResult blocks at messages.2.content for the following Ids: "
            "t1, t3"
        ),
    ),
    (
        "too many tool results",
        CLAUDE_3_5,
        body(user(tool_result("t1")), toolConfig=TOOLS),
        (
            "The number of toolResult blocks at messages.0.content exceeds the number "
            "of toolUse blocks of previous turn."
        ),
    ),
]
