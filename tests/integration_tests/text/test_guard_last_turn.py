"""A guardrail on the last turn: our prompt is never what it checks."""

import logging
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_bedrock_continue import PrefillRefusedError, TurnLimitError
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    LocalBedrock,
    ModelRules,
    Script,
)
from langchain_bedrock_continue.local.script.answers import FaultAt
from tests.support.answers import WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending
from tests.support.models import PREFILL_MODEL, REFUSING_MODEL, model, plain_model
from tests.support.texts import TEXTS

GUARD: dict[str, Any] = {
    "guard_last_turn_only": True,
    "guardrail_config": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
}
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
PROSE = TEXTS["prose"]
ENDED = ("guard_last_turn_only", False)


@pytest.mark.parametrize("strategy", ["auto", "user_turn"])
def test_a_model_without_prefill_returns_the_truncated_message(
    serve: Serve,
    every_entrance: Entrance,
    strategy: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bedrock = serve(PROSE)
    bare = every_entrance(plain_model(bedrock, model=REFUSING_MODEL, **GUARD), "Go on.")
    bedrock.clear()
    llm = model(bedrock, model=REFUSING_MODEL, strategy=strategy, **GUARD)
    with caplog.at_level(logging.WARNING):
        message = every_entrance(llm, "Go on.")
    assert message.text == bare.text
    assert message.response_metadata["stopReason"] == "max_tokens"
    assert ending(message) == ENDED
    assert continuation(message)["seams"] == []
    assert len(bedrock.requests) == 1
    assert "guard_last_turn_only" in caplog.text


@pytest.mark.parametrize("text", sorted(TEXTS))
def test_an_unknown_model_is_asked_once_in_a_process(
    serve: Serve, entrance: Entrance, text: str
) -> None:
    bedrock = serve(TEXTS[text])
    for size in range(2, 40, 5):
        bare_llm = plain_model(bedrock, model=LLAMA, max_tokens=size, **GUARD)
        bare = entrance(bare_llm, "Go on.")
        bedrock.clear()
        message = entrance(
            model(bedrock, model=LLAMA, max_tokens=size, **GUARD), "Go on."
        )
        assert message.text == bare.text
        if bare.response_metadata["stopReason"] == "max_tokens":
            assert ending(message) == ENDED
            assert continuation(message)["seams"] == []
            assert len(continuation(message)["segments"]) == 1
        assert len(bedrock.requests) == (2 if size == 2 else 1)


def test_an_unknown_model_that_accepts_a_prefill_is_continued() -> None:
    rules = {"acme.model-v1": ModelRules(takes_prefill=True)}
    with LocalBedrock(Script(PROSE), models=rules) as bedrock:
        message = model(bedrock, model="acme.model-v1", **GUARD).invoke("Go on.")
    assert message.text == PROSE


def test_prefill_4_a_refusal_beside_tools_is_remembered(
    serve: Serve, entrance: Entrance
) -> None:
    """Claude 3 accepts a prefill, but not beside tools."""
    bedrock = serve(PROSE)
    asked = []
    for tools in (WEATHER_TOOLS, WEATHER_TOOLS, []):
        bedrock.clear()
        llm: Any = model(bedrock, **GUARD)
        message = entrance(llm.bind_tools(tools) if tools else llm, "Go on.")
        asked.append(len(bedrock.requests))
        assert ending(message) == (ENDED if tools else ("model", True))
    assert asked[:2] == [2, 1]
    assert message.text == PROSE


@pytest.mark.parametrize("guard", [{}, GUARD], ids=["fall back", "guard"])
def test_prefill_4_only_tools_are_remembered(serve: Serve, guard: Any) -> None:
    bedrock = serve(PROSE)
    llm = model(bedrock, **guard).bind_tools(WEATHER_TOOLS)
    counts = []
    for _ in range(2):
        bedrock.clear()
        llm.invoke("Go on.")
        counts.append(len(bedrock.requests))
    assert counts[1] == counts[0] - 1


def test_a_thinking_model_is_not_asked_for_a_prefill(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(" ".join(f"Sentence {n}." for n in range(900)))
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    settings: dict[str, Any] = {
        "model": PREFILL_MODEL,
        "max_tokens": 1100,
        "additional_model_request_fields": thinking,
    }
    message = entrance(model(bedrock, **settings, **GUARD), "Go on.")
    assert ending(message) == ENDED
    assert len(bedrock.requests) == 1


def test_the_caller_can_have_it_raised(serve: Serve, entrance: Entrance) -> None:
    llm = model(serve(PROSE), model=REFUSING_MODEL, on_limit="raise", **GUARD)
    with pytest.raises(TurnLimitError, match="raise max_tokens") as raised:
        entrance(llm, "Go on.")
    assert PROSE.startswith(raised.value.partial.text)


def test_a_caller_who_asks_for_prefills_sees_them_refused(
    serve: Serve, entrance: Entrance
) -> None:
    llm = model(serve(PROSE), model=REFUSING_MODEL, strategy="prefill", **GUARD)
    with pytest.raises(PrefillRefusedError):
        entrance(llm, "Go on.")


@pytest.mark.parametrize("recovery", ["retry", "resume"])
def test_a_truncated_tool_call_is_retried_but_not_continued(
    serve: Serve, entrance: Entrance, recovery: str
) -> None:
    call = CallTool("weather", {"city": "word " * 50, "days": [1]})
    bedrock = serve(Answer(["Let me look. ", call]))
    for ceiling, kinds in ((400, ["tool_use"]), (40, ["max_tokens"])):
        llm = model(
            bedrock,
            model=REFUSING_MODEL,
            max_tokens_ceiling=ceiling,
            tool_call_recovery=recovery,
            **GUARD,
        )
        message = entrance(llm.bind_tools(WEATHER_TOOLS), "Go on.")
        assert [message.response_metadata["stopReason"]] == kinds
        assert bool(message.tool_calls) is (ceiling == 400)
        assert ending(message)[0] == ("model" if ceiling == 400 else "tool_call")


@pytest.mark.usefixtures("no_backoff")
def test_a_broken_stream_is_requested_again(serve: Serve) -> None:
    fault = FaultAt(Fault("exception", "throttlingException", "Slow down."), at=5)
    bedrock = serve(Script(Answer(PROSE, faults=[fault])))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=1000, **GUARD)
    assert "".join(chunk.text for chunk in llm.stream("Go on.")) == PROSE


def test_a_partial_message_is_requested_again(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(PROSE)
    partial = entrance(model(bedrock, model=REFUSING_MODEL, **GUARD), "Go on.")
    larger = model(bedrock, model=REFUSING_MODEL, max_tokens=1000, **GUARD)
    assert larger.resume([HumanMessage("Go on.")], partial).text == PROSE
