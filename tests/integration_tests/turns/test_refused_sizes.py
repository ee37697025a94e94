"""A size that the package chose raises no error, whatever the service refuses.

One endpoint has a model for each rule. The wrapped model itself is the oracle: where it
returns a message, the model under test returns one, whose text begins with that text.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import ChatBedrockContinuing, TurnLimitError
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    ModelRules,
    Script,
    Think,
)
from tests.support.answers import tools
from tests.support.endpoint import Switchboard
from tests.support.entrances import Entrance, by_invoke, by_stream
from tests.support.messages import continuation, ending, sent_sizes
from tests.support.models import chat_bedrock, client_of, model, plain_model
from tests.support.scripts import continuing

CLAUDE_4_5 = "anthropic.claude-sonnet-4-5-{}"
CLAUDE_4_6 = "anthropic.claude-sonnet-4-6-{}"
UNKNOWN = "acme.{}-v1"
LLAMA = "meta.llama3-{}-v1:0"
NOVA = "amazon.nova-{}-v1:0"

FAMILIES: dict[str, tuple[str, ModelRules]] = {
    "prefill": (CLAUDE_4_5, ModelRules("claude", takes_prefill=True, version=(4, 5))),
    "user turn": (CLAUDE_4_6, ModelRules("claude", version=(4, 6))),
    "unknown": (UNKNOWN, ModelRules()),
    "llama": (LLAMA, ModelRules("llama")),
}

RULES: dict[str, dict[str, Any]] = {
    "inclusive": {"max_output_tokens": 100},
    "exclusive": {"max_output_tokens": 100, "limit_is_exclusive": True},
    "at-first": {"max_output_tokens": 20},
    "at-first-next": {"max_output_tokens": 21, "limit_is_exclusive": True},
    "window": {"context_window": 150, "default_max_tokens": 20},
    "small-window": {"context_window": 75, "default_max_tokens": 20},
    "both": {
        "context_window": 150,
        "max_output_tokens": 60,
        "default_max_tokens": 20,
    },
    "default": {"default_max_tokens": 20},
    "default-limit": {"default_max_tokens": 20, "max_output_tokens": 100},
}


def models() -> dict[str, ModelRules]:
    """Return the rules of a model for each rule and family."""
    return {
        name.format(rule): ModelRules(**{**vars(family), **changed})
        for name, family in FAMILIES.values()
        for rule, changed in RULES.items()
    }


class Endpoint(NamedTuple):
    """The endpoint of this module, whose script each test sets."""

    bedrock: LocalBedrock
    switchboard: Switchboard

    def say(self, said: Any) -> LocalBedrock:
        self.switchboard.script = said if isinstance(said, Script) else Script(said)
        self.bedrock.clear()
        return self.bedrock


@pytest.fixture(scope="module")
def ruled() -> Iterator[Endpoint]:
    """Start an endpoint with the models of the table."""
    switchboard = Switchboard()
    with LocalBedrock(switchboard, models=models()) as bedrock:
        yield Endpoint(bedrock, switchboard)
    client_of.cache_clear()


TEXT = "I write it. "
CALL = CallTool("write", {"path": "a.md", "content": "x y z " * 25}, tool_use_id="t1")
TOOLS = tools("write")
WORDS = " ".join(f"word{n}" for n in range(60))

ANSWERS: dict[str, Answer] = {
    "call": Answer([TEXT, CALL], fine_grained=True),
    "text": Answer(WORDS + "."),
    "lines": Answer("\n".join(f"- item {n}" for n in range(30)) + "\n"),
    "thinking": Answer([Think("hm " * 60), "So it is."]),
    "text and call": Answer([WORDS, CALL], fine_grained=True),
}

SENT: dict[str, dict[str, Any]] = {"20": {"max_tokens": 20}, "unset": {}}

APIS: dict[str, Any] = {"Converse": plain_model, "InvokeModel": chat_bedrock}


def asked(llm: Any, answer: Answer) -> Runnable[Any, AIMessage]:
    """Return the model, with tools if the answer has a call."""
    calls = any(isinstance(block, CallTool) for block in answer.blocks)
    bound: Runnable[Any, AIMessage] = llm.bind_tools(TOOLS) if calls else llm
    return bound


def is_subsequence(some: list[Any], every: list[Any]) -> bool:
    remaining = iter(every)
    return all(one in remaining for one in some)


@pytest.mark.parametrize("size", SENT)
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("family", "api"),
    [
        *((family, "Converse") for family in FAMILIES),
        ("prefill", "InvokeModel"),
        ("user turn", "InvokeModel"),
    ],
)
def test_where_the_wrapped_model_answers_so_does_ours(
    ruled: Endpoint,
    entrance: Entrance,
    family: str,
    api: str,
    rule: str,
    kind: str,
    size: str,
) -> None:
    answer = ANSWERS[kind]
    bedrock = ruled.say(continuing(answer))
    model_id = FAMILIES[family][0].format(rule)
    sent = {"max_tokens": None, **SENT[size]}
    inner = APIS[api](bedrock, model=model_id, **sent)
    try:
        bare = entrance(asked(inner, answer), "Hi")
    except ClientError:
        pytest.skip("the wrapped model does not answer either")
    bedrock.clear()
    message = entrance(asked(ChatBedrockContinuing(llm=inner), answer), "Hi")
    assert message.text.startswith(bare.text)
    sizes = [entry["max_tokens"] for entry in continuation(message)["segments"]]
    assert is_subsequence(sizes, sent_sizes(bedrock))
    assert len(bedrock.requests) <= 16
    ended_by, complete = ending(message)
    assert complete == (ended_by == "model")
    if complete:
        whole = "".join(getattr(one, "text", "") for one in answer.blocks[-2:])
        assert message.text in whole
