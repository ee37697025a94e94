"""Every rule of the local endpoint, with its exact text (R1-R3)."""

import copy
from typing import Any

import pytest

from langchain_bedrock_continue.local._errors import ServiceError
from langchain_bedrock_continue.local._models import ModelRules, rules_for
from langchain_bedrock_continue.local._rules import RULES, check

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
BESIDE = (
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


def use(tool_use_id: str) -> Json:
    return {"toolUse": {"toolUseId": tool_use_id, "name": "f", "input": {}}}


def result(tool_use_id: str) -> Json:
    return {"toolResult": {"toolUseId": tool_use_id, "content": [{"text": "1"}]}}


CACHE_POINT = {"cachePoint": {"type": "default"}}
TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
SCHEMA = {"textFormat": {"type": "json_schema"}}


def refusal(model_id: str, request: Json) -> str | None:
    model = rules_for(model_id)
    assert model is not None
    before, refused = copy.deepcopy(request), None
    try:
        check(request, model)
    except ServiceError as error:
        refused = error
    assert request == before  # R3
    if refused is None:
        return None
    assert (refused.code, refused.status) == ("ValidationException", 400)
    return refused.message


CASES: list[tuple[str, str, Json, str | None]] = [
    # a conversation's shape
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
        "a role that is none",
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
        body(user("a"), assistant(use("t1")), user(result("t1"))),
        (
            "The toolConfig field must be defined when using toolUse and toolResult "
            "content blocks."
        ),
    ),
    (
        "tool results",
        CLAUDE_3_5,
        body(
            user("a"), assistant(use("t1")), user(result("t1"), "b"), toolConfig=TOOLS
        ),
        None,
    ),
    (
        "missing tool results",
        CLAUDE_3_5,
        body(
            user("a"),
            assistant(use("t1"), use("t2"), use("t3")),
            user(result("t2")),
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
        body(user(result("t1")), toolConfig=TOOLS),
        (
            "The number of toolResult blocks at messages.0.content exceeds the number "
            "of toolUse blocks of previous turn."
        ),
    ),
    # cachePoints
    (
        "four cachePoints",
        CLAUDE_3_5,
        body(user("a", CACHE_POINT, "b", CACHE_POINT, "c", CACHE_POINT, "d")),
        None,
    ),
    (
        "five cachePoints",
        CLAUDE_3_5,
        body(
            user("a", CACHE_POINT, "b", CACHE_POINT, "c", CACHE_POINT),
            system=[{"text": "s"}, CACHE_POINT],
            toolConfig={"tools": [*TOOLS["tools"], CACHE_POINT]},
        ),
        VENDOR + "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        "cachePoint behind reasoning",
        CLAUDE_3_5,
        body(
            user("a"),
            assistant("b", reasoning("c", signature="s"), CACHE_POINT),
            user("d"),
        ),
        (
            "Cache point cannot be inserted after reasoning block. Please remove the "
            "invalid cache point and try again."
        ),
    ),
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
        VENDOR + BESIDE.format("tools"),
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
        VENDOR + BESIDE.format("output format"),
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
        "reasoning alone in the history, Claude 5",
        CLAUDE_5,
        body(user("a"), assistant(reasoning("b", signature="s")), user("c")),
        NO_PREFILL_CLAUDE,
    ),
    (
        "reasoning alone in the history, Claude 4.5",
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
]


@pytest.mark.parametrize(
    ("model_id", "request_body", "text"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_rule(model_id: str, request_body: Json, text: str | None) -> None:
    assert refusal(model_id, request_body) == text


def first_broken(model_id: str, request: Json) -> int | None:
    model = rules_for(model_id)
    assert model is not None
    return next((i for i, r in enumerate(RULES) if r(request, model)), None)


def test_every_rule_has_a_case() -> None:
    """R1: a rule that no case breaks would be dead, or untested."""
    broken = {first_broken(model_id, request) for _, model_id, request, _ in CASES}
    assert broken - {None} == set(range(len(RULES)))


def test_bedrock_speaks_before_the_vendor() -> None:
    """R2."""
    both_wrong = body(user("a"), assistant("b "), inferenceConfig={"temperature": 2})
    said = refusal(CLAUDE_3_5, both_wrong)
    assert said is not None
    assert said.startswith("Value '2'")


def test_tools_beside_a_prefill_can_be_allowed() -> None:
    model = ModelRules("claude", takes_prefill=True, prefill_with_tools=True)
    check(body(user("a"), assistant("b"), toolConfig=TOOLS), model)
