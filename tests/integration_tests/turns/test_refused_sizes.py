"""A size that the package chose raises no error, whatever the service refuses.

One endpoint has a model for each rule. The wrapped model itself is the oracle: where it
returns a message, the model under test returns one, whose text begins with that text.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from langchain_bedrock_continue import (
    ChatBedrockContinuing,
    SegmentError,
    TurnLimitError,
)
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    LocalBedrock,
    ModelRules,
    Say,
    Script,
    Think,
)
from tests.support.answers import tools
from tests.support.endpoint import Serve, Switchboard
from tests.support.entrances import Entrance, by_invoke, by_stream
from tests.support.messages import continuation, ending, sent_sizes
from tests.support.models import NOVA as NOVA_MODEL
from tests.support.models import (
    PREFILL_MODEL,
    chat_bedrock,
    client_of,
    model,
    plain_model,
)
from tests.support.scripts import continuing

CLAUDE_4_5 = "anthropic.claude-sonnet-4-5-{}"
CLAUDE_4_6 = "anthropic.claude-sonnet-4-6-{}"
UNKNOWN = "acme.{}-v1"
LLAMA = "meta.llama3-{}-v1:0"

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
    "roomy": {"context_window": 400, "default_max_tokens": 20},
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
CALL = CallTool("write", {"path": "a.md", "content": "x y z " * 45}, tool_use_id="t1")
TOOLS = tools("write")
WORDS = " ".join(f"word{n}" for n in range(60))

ANSWERS: dict[str, Answer] = {
    "call": Answer([TEXT, CALL], fine_grained=True),
    "text": Answer(WORDS + "."),
    "lines": Answer("\n".join(f"- item {n}" for n in range(30)) + "\n"),
    "thinking": Answer([Think("hm " * 60), "So it is."]),
    "text and call": Answer([WORDS, CALL], fine_grained=True),
}

SENT: tuple[int | None, ...] = (20, None)

APIS: tuple[tuple[str, Any], ...] = (
    *((family, plain_model) for family in FAMILIES),
    ("prefill", chat_bedrock),
    ("user turn", chat_bedrock),
)
"""A family of models, and what makes the wrapped model."""


class Case(NamedTuple):
    """What is refused, of which model, while it says what."""

    rule: str
    kind: str
    family: str
    wrap: Any
    size: int | None


CASES = [
    Case(rule, kind, *APIS[(i + j) % len(APIS)], SENT[(i + j // 2) % 2])
    for i, rule in enumerate(RULES)
    for j, kind in enumerate(ANSWERS)
]
"""Each rule with each answer; families, APIs and sizes take turns."""


def asked(llm: Any, answer: Answer) -> Runnable[Any, AIMessage]:
    """Return the model, with tools if the answer has a call."""
    calls = any(isinstance(block, CallTool) for block in answer.blocks)
    bound: Runnable[Any, AIMessage] = llm.bind_tools(TOOLS) if calls else llm
    return bound


def is_subsequence(some: list[Any], every: list[Any]) -> bool:
    remaining = iter(every)
    return all(one in remaining for one in some)


def metadata_sizes(message: AIMessage) -> list[int | None]:
    return [entry["max_tokens"] for entry in continuation(message)["segments"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case[:3])))
def test_where_the_wrapped_model_answers_so_does_ours(
    ruled: Endpoint, entrance: Entrance, case: Case
) -> None:
    answer = ANSWERS[case.kind]
    bedrock = ruled.say(continuing(answer))
    model_id = FAMILIES[case.family][0].format(case.rule)
    inner = case.wrap(bedrock, model=model_id, max_tokens=case.size)
    try:
        bare = entrance(asked(inner, answer), "Hi")
    except ClientError:  # only ChatBedrock's own default is over these limits
        assert case.wrap is chat_bedrock
        assert case.size is None
        return
    bedrock.clear()
    message = entrance(asked(ChatBedrockContinuing(llm=inner), answer), "Hi")
    assert message.text.startswith(bare.text)
    assert is_subsequence(metadata_sizes(message), sent_sizes(bedrock))
    ended_by, complete = ending(message)
    assert complete == (ended_by == "model")
    if complete:
        says = [block.text for block in answer.blocks if isinstance(block, Say)]
        assert message.text == "".join(says)
        assert [call["id"] for call in message.tool_calls] == [
            block.tool_use_id for block in answer.blocks if isinstance(block, CallTool)
        ]


# What is sent, and what ends the turn ------------------------------------------------

SENT_SIZES: list[tuple[str, str, int | None, list[int | None], str]] = [
    ("inclusive", "call", 20, [20, 80, 320, 99], "tool_call"),
    ("exclusive", "call", 20, [20, 80, 320, 99], "tool_call"),
    ("at-first", "call", 20, [20, 80], "tool_call"),
    ("at-first-next", "call", 20, [20, 80], "tool_call"),
    ("roomy", "call", 20, [20, 80, 320], "model"),
    ("window", "call", 20, [20, 80], "context_window"),
    ("small-window", "text", 20, [20, 20, 20, 20], "context_window"),
    ("default", "call", None, [None, 4096], "model"),
    ("default-limit", "call", None, [None, 4096, 99], "tool_call"),
]


@pytest.mark.parametrize("sent", SENT_SIZES, ids=lambda sent: f"{sent[0]}-{sent[1]}")
def test_the_size_that_the_service_names_is_tried_then_the_turn_ends(
    ruled: Endpoint, entrance: Entrance, sent: Any
) -> None:
    rule, kind, size, sizes, ended_by = sent
    bedrock = ruled.say(continuing(ANSWERS[kind]))
    model_id = FAMILIES["prefill"][0].format(rule)
    llm = asked(model(bedrock, model=model_id, max_tokens=size), ANSWERS[kind])
    message = entrance(llm, "Hi")
    assert sent_sizes(bedrock)[: len(sizes)] == sizes
    assert ending(message)[0] == ended_by
    assert len(message.invalid_tool_calls) == (kind == "call" and ended_by != "model")


def test_what_the_context_window_leaves_is_used(
    ruled: Endpoint, entrance: Entrance
) -> None:
    bedrock = ruled.say(continuing(ANSWERS["text"]))
    model_id = FAMILIES["prefill"][0].format("small-window")
    message = entrance(model(bedrock, model=model_id, max_tokens=20), "Hi")
    sizes = metadata_sizes(message)
    assert 0 < (sizes[-1] or 0) < 20
    assert message.usage_metadata is not None
    written = sum(size or 0 for size in sizes)
    assert message.usage_metadata["output_tokens"] == written
    assert ending(message) == ("context_window", False)
    assert message.response_metadata.get("stopReason") == "max_tokens"


TOO_LONG = "Input is too long for requested model."
NO_REASON = "The request is not valid."


def refusing(text: str, *, request: int | None, status: int = 400) -> FaultAt:
    return FaultAt(
        Fault("exception", "ValidationException", text, status), request=request
    )


@pytest.mark.parametrize("on_limit", ["return", "raise"])
@pytest.mark.parametrize("status", [400, 200])
def test_a_continuation_that_is_too_long_ends_at_the_context_window(
    serve: Serve, entrance: Entrance, status: int, on_limit: str
) -> None:
    answer = replace(
        ANSWERS["text"], faults=[refusing(TOO_LONG, request=2, status=status)]
    )
    llm = model(serve(answer), max_tokens=20, on_limit=on_limit)
    if on_limit == "raise":
        with pytest.raises(TurnLimitError, match="shorten the input") as raised:
            entrance(llm, "Hi")
        message = raised.value.partial
    else:
        message = entrance(llm, "Hi")
    assert WORDS.startswith(message.text.strip())
    assert message.text
    assert ending(message) == ("context_window", False)
    assert metadata_sizes(message) == [20]
    assert continuation(message)["seams"] == []


@pytest.mark.parametrize("status", [400, 200])
def test_a_retry_that_is_refused_without_a_reason_steps_down(
    serve: Serve, entrance: Entrance, status: int
) -> None:
    for refusals, sizes, ended_by in (
        ((2,), [20, 80, 40], "tool_call"),
        ((2, 3), [20, 80, 40], "tool_call"),
    ):
        faults = [refusing(NO_REASON, request=n, status=status) for n in refusals]
        bedrock = serve(replace(ANSWERS["call"], faults=faults))
        message = entrance(model(bedrock, max_tokens=20).bind_tools(TOOLS), "Hi")
        assert sent_sizes(bedrock) == sizes
        assert ending(message) == (ended_by, False)
        assert message.text == TEXT
        assert len(message.invalid_tool_calls) == 1


def test_a_first_request_is_refused_as_the_callers_own(
    ruled: Endpoint, every_entrance: Entrance
) -> None:
    bedrock = ruled.say(WORDS)
    for family, wrap in APIS:
        for rule in ("inclusive", "window"):
            model_id = FAMILIES[family][0].format(rule)
            inner = wrap(bedrock, model=model_id, max_tokens=151)
            with pytest.raises(ClientError) as bare:
                every_entrance(inner, "Hi")
            with pytest.raises(ClientError) as ours:
                every_entrance(ChatBedrockContinuing(llm=inner), "Hi")
            assert type(ours.value) is type(bare.value)
            assert str(ours.value) == str(bare.value)


def test_a_total_over_the_models_limit_is_no_error(
    ruled: Endpoint, entrance: Entrance
) -> None:
    bedrock = ruled.say(continuing(ANSWERS["text"]))
    model_id = FAMILIES["prefill"][0].format("exclusive")
    llm = model(bedrock, model=model_id, max_tokens=None, max_total_tokens=3000)
    message = entrance(llm, "Hi")
    assert sent_sizes(bedrock)[:2] == [3000, 99]
    assert ending(message) == ("model", True)


# The thinking budget -----------------------------------------------------------------


def thinking(budget: int) -> dict[str, Any]:
    fields = {"thinking": {"type": "enabled", "budget_tokens": budget}}
    return {"additional_model_request_fields": fields, "model": PREFILL_MODEL}


THOUGHTS = Answer([Think("hm " * 5), WORDS])


def test_no_call_is_made_with_less_than_the_thinking_budget(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(continuing(THOUGHTS))
    llm = model(bedrock, max_tokens=30, max_total_tokens=50, **thinking(25))
    message = entrance(llm, "Hi")
    assert sent_sizes(bedrock) == [30]
    assert ending(message) == ("max_total_tokens", False)


def test_a_total_below_the_thinking_budget_ends_the_turn_as_that_limit(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(continuing(THOUGHTS))
    llm = model(bedrock, max_tokens=30, max_total_tokens=20, **thinking(25))
    message = entrance(llm, "Hi")
    assert ending(message) == ("max_total_tokens", False)
    assert not message.text


@pytest.mark.parametrize("total", [None, 12])
def test_the_callers_own_size_below_the_budget_is_the_callers_error(
    serve: Serve, entrance: Entrance, total: int | None
) -> None:
    bedrock = serve(continuing(THOUGHTS))
    llm = model(bedrock, max_tokens=20, max_total_tokens=total, **thinking(25))
    with pytest.raises(ClientError, match="greater than `thinking"):
        entrance(llm, "Hi")


# Nova --------------------------------------------------------------------------------


def nova(bedrock: LocalBedrock, **kwargs: Any) -> Runnable[Any, AIMessage]:
    settings = {"model": NOVA_MODEL, "max_tokens": 20, **kwargs}
    return model(bedrock, **settings).bind_tools(TOOLS)


@pytest.mark.parametrize("kind", ["call", "text and call"])
def test_a_call_that_nova_reports_as_an_error_is_retried_larger(
    serve: Serve, every_entrance: Entrance, kind: str
) -> None:
    bedrock = serve(continuing(ANSWERS[kind]))
    message = every_entrance(nova(bedrock), "Hi")
    assert [call["id"] for call in message.tool_calls] == ["t1"]
    assert message.invalid_tool_calls == []
    assert message.text == (TEXT if kind == "call" else WORDS)
    assert ending(message) == ("model", True)
    assert metadata_sizes(message) == sent_sizes(bedrock)
    assert sent_sizes(bedrock)[-2:] == [80, 320]


LIMITED: dict[str, tuple[dict[str, Any], str]] = {
    "the ceiling": ({"max_tokens_ceiling": 50}, "tool_call"),
    "no retry": ({"tool_call_recovery": "return"}, "tool_call"),
    "the number of calls": ({"max_continuations": 6}, "max_continuations"),
}


@pytest.mark.parametrize("name", LIMITED)
def test_a_call_that_nova_cannot_complete_ends_the_turn_after_its_text(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    settings, ended_by = LIMITED[name]
    bedrock = serve(continuing(ANSWERS["text and call"]))
    message = entrance(nova(bedrock, **settings), "Hi")
    assert ending(message) == (ended_by, False)
    assert message.text == WORDS
    assert message.tool_calls == []
    assert message.response_metadata["stopReason"] == "max_tokens"
    assert metadata_sizes(message) == sent_sizes(bedrock)


@pytest.mark.parametrize(
    "settings", [{"max_tokens_ceiling": 50}, LIMITED["no retry"][0]]
)
def test_a_first_call_that_nova_cannot_complete_is_the_error_of_the_wrapped_model(
    serve: Serve, settings: dict[str, Any]
) -> None:
    bedrock = serve(Answer([CALL]))
    inner = plain_model(bedrock, model=NOVA_MODEL, max_tokens=20).bind_tools(TOOLS)
    for entrance in (by_invoke, by_stream):
        with pytest.raises(ClientError) as bare:
            entrance(inner, "Hi")
        bedrock.clear()
        with pytest.raises((ClientError, SegmentError)) as ours:
            entrance(nova(bedrock, **settings), "Hi")
        assert isinstance(ours.value, type(bare.value))
        assert len(bedrock.requests) <= 2


# An ARN ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arn", "limit"),
    [
        (f"inference-profile/{PREFILL_MODEL}", 64_000),
        ("custom-model/amazon.nova-pro-v1:0:300k/abcd", 10_000),
        ("provisioned-model/anthropic.claude-opus-4-1-20250805-v1:0:200k", 32_000),
        ("foundation-model/meta.llama3-3-70b-instruct-v1:0", 4_096),
    ],
)
def test_a_retry_is_raised_to_the_limit_of_the_model_in_an_arn(
    arn: str, limit: int
) -> None:
    whole = f"arn:aws:bedrock:us-east-1:123456789012:{arn}"
    endless = Answer([CallTool("write", {"content": "x y z " * 30_000})])
    rules = {whole: ModelRules()}
    with LocalBedrock(Script(endless), models=rules) as bedrock:
        llm = model(bedrock, model=whole, provider="anthropic", max_tokens=limit // 2)
        message = by_invoke(llm.bind_tools(TOOLS), "Hi")
        assert sent_sizes(bedrock) == [limit // 2, limit]
    assert ending(message) == ("tool_call", False)
