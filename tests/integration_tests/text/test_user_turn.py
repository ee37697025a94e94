"""Models that take no prefill go on in a user turn, by every entrance."""

import itertools
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue._core.decisions import prefill_support as models
from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    LocalBedrock,
    ModelRules,
    Request,
    Script,
    Think,
)
from tests.integration_tests.conftest import MODEL, REFUSING_MODEL, Serve, model
from tests.integration_tests.text.test_prefill import TEXTS
from tests.support.echo import echo
from tests.support.entrances import Entrance


def echoing(text: str) -> Script:
    return Script(lambda request: echo(text, request))


@pytest.mark.parametrize("max_tokens", [11, 25, 60])
@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_is_the_uncut_one(
    serve: Serve, entrance: Entrance, kind: str, max_tokens: int
) -> None:
    bedrock = serve(echoing(TEXTS[kind]))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=max_tokens)
    message = entrance(llm, "Go on.")
    assert message.text == TEXTS[kind]
    summary = message.response_metadata["continuation"]
    assert (summary["ended_by"], summary["complete"]) == ("model", True)
    if len(bedrock.requests) > 1:
        assert summary["strategy"] == "user_turn"


def test_the_history_only_grows(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(echoing(TEXTS["code"] * 4))
    entrance(model(bedrock, model=REFUSING_MODEL, max_tokens=12), "Go on.")
    sent = [request.body["messages"] for request in bedrock.requests]
    assert len(sent) > 3
    for earlier, later in itertools.pairwise(sent):
        assert later[: len(earlier)] == earlier
        assert [one["role"] for one in later[len(earlier) :]] == ["assistant", "user"]


def test_seams_are_offsets_in_the_text(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(echoing(TEXTS["code"] * 4))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=20)
    message = entrance(llm, "Go on.")
    first = bedrock.requests[1].body["messages"][1]["content"][0]["text"]
    seam = message.response_metadata["continuation"]["seams"][0]
    assert message.text[:seam] == first


def test_a_seam_stands_before_the_whitespace_that_was_written_anew(
    serve: Serve,
) -> None:
    text = TEXTS["code"] * 4
    for max_tokens in range(12, 24):
        bedrock = serve(echoing(text))
        llm = model(bedrock, model=REFUSING_MODEL, max_tokens=max_tokens)
        message = llm.invoke("Go on.")
        assert message.text == text
        for seam in message.response_metadata["continuation"]["seams"]:
            assert not text[seam - 1].isspace()


MODEL_WIDE = {
    "claude": "This model does not support assistant message prefill. "
    "The conversation must end with a user message.",
    "bedrock": "The model that you are using requires the last turn in the "
    "conversation to be a user message. Add a user message to the conversation and "
    "try again.",
    "others": "Prefilling assistant messages is not supported for this model.",
}
OF_ONE_REQUEST = {
    "tools": "Your API request included an `assistant` message in the final position, "
    "which would pre-fill the `assistant` response. When using tools, pre-filling the "
    "`assistant` response is not supported.",
    "output format": "Your API request included an `assistant` message in the final "
    "position, which would pre-fill the `assistant` response. When using output "
    "format, pre-filling the `assistant` response is not supported.",
    "thinking": "messages.1.content.0.type: Expected `thinking` or "
    "`redacted_thinking`, but found `text`. When `thinking` is enabled, a final "
    "`assistant` message must start with a thinking block.",
    "thinking last": "messages.1: The final block in an assistant message cannot be "
    "`thinking`.",
}


def refusing_once(text: str, refusal: str, status: int) -> Script:
    """A model whose first prefill is refused, before the stream or within it."""
    fault = Fault("exception", "ValidationException", refusal, status=status)
    refused = Answer("?", faults=[FaultAt(fault, at=0, request=None)])

    def answer(request: Request) -> Any:
        if request.messages[-1]["role"] == "assistant":
            return refused
        return echo(text, request)

    return Script(answer)


@pytest.fixture(autouse=True)
def a_new_process() -> None:
    models.forget_refusals()


@pytest.mark.parametrize("status", [400, 200], ids=["before", "in the stream"])
@pytest.mark.parametrize("name", [*MODEL_WIDE, *OF_ONE_REQUEST])
def test_a_refused_prefill_goes_on_in_the_same_call(
    serve: Serve, entrance: Entrance, name: str, status: int
) -> None:
    refusal = {**MODEL_WIDE, **OF_ONE_REQUEST}[name]
    bedrock = serve(refusing_once(TEXTS["code"], refusal, status))
    message = entrance(model(bedrock, max_tokens=12), "Go on.")
    assert message.text == TEXTS["code"]
    summary = message.response_metadata["continuation"]
    assert summary["strategy"] == "user_turn"
    assert len(summary["segments"]) == len(bedrock.requests) - 1


@pytest.mark.parametrize("name", MODEL_WIDE)
def test_a_model_is_asked_once_in_a_process(serve: Serve, name: str) -> None:
    bedrock = serve(refusing_once(TEXTS["code"], MODEL_WIDE[name], 400))
    for refusals in (1, 0, 0):
        bedrock.clear()
        message = model(bedrock, max_tokens=12).invoke("Go on.")
        segments = len(message.response_metadata["continuation"]["segments"])
        assert len(bedrock.requests) == segments + refusals
        assert message.text == TEXTS["code"]


@pytest.mark.parametrize("name", OF_ONE_REQUEST)
def test_what_was_refused_of_one_request_is_not_remembered(
    serve: Serve, name: str
) -> None:
    bedrock = serve(refusing_once(TEXTS["code"], OF_ONE_REQUEST[name], 400))
    model(bedrock, max_tokens=12).invoke("Go on.")
    assert models.takes_prefill(MODEL)


def test_another_error_is_no_refusal(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(refusing_once(TEXTS["code"], "Something else is wrong.", 400))
    with pytest.raises(Exception, match="Something else is wrong"):
        entrance(model(bedrock, max_tokens=12), "Go on.")
    assert len(bedrock.requests) == 2


def test_a_callers_own_prefill_that_is_refused_is_the_services_error(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve("x")
    with pytest.raises(Exception, match="must end with a user message"):
        entrance(model(bedrock, model=REFUSING_MODEL), [("user", "a"), ("ai", "b")])


def test_what_a_refused_cut_gave_back_is_not_lost(
    serve: Serve, entrance: Entrance
) -> None:
    # Cut behind each token in turn: the prefill's cut gives words back, the user
    # turn's does not.
    text = "def f(x) {\n    return [\n        x,\n    ];\n}\n\nAnd so on.\n"
    for max_tokens in range(6, 30):
        models.forget_refusals()
        bedrock = serve(refusing_once(text, MODEL_WIDE["claude"], 400))
        assert entrance(model(bedrock, max_tokens=max_tokens), "?").text == text


def test_later_thinking_is_dropped(serve: Serve, entrance: Entrance) -> None:
    text = "A long answer that will not fit in one go, as it goes on. And on it goes.\n"

    def answer(request: Request) -> Answer:
        return Answer([Think("Hm.", signature="sig"), echo(text, request)])

    bedrock = serve(Script(answer))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=16)
    message = entrance(llm, "Go on.")
    kinds = [block["type"] for block in message.content]  # type: ignore[index]
    assert kinds == ["reasoning_content", "text"]
    assert message.text == text
    first = bedrock.requests[1].body["messages"][1]["content"]
    assert first[0]["reasoningContent"]["reasoningText"]["signature"] == "sig"


def test_a_model_that_needs_an_application_profile_is_known_by_its_base() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    script = echoing(TEXTS["code"])
    with LocalBedrock(script, profiles={arn: REFUSING_MODEL}) as bedrock:
        llm = model(
            bedrock,
            model=arn,
            provider="anthropic",
            base_model_id="anthropic.claude-sonnet-4-6",
            max_tokens=20,
        )
        assert llm.invoke("Go on.").text == TEXTS["code"]
        assert {one.body["messages"][-1]["role"] for one in bedrock.requests} == {
            "user"
        }


def test_strategies_can_be_chosen(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    message = entrance(model(bedrock, strategy="user_turn", max_tokens=40), "Go on.")
    assert message.text == TEXTS["prose"]
    assert message.response_metadata["continuation"]["strategy"] == "user_turn"
    asked = [HumanMessage("a"), AIMessage("b"), HumanMessage("Go on.")]
    bedrock = serve(TEXTS["prose"])
    message = entrance(model(bedrock, strategy="prefill", max_tokens=40), asked[2:])
    assert message.response_metadata["continuation"]["strategy"] == "prefill"


def test_a_prompt_of_ones_own(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    llm = model(
        bedrock,
        strategy="user_turn",
        max_tokens=40,
        continuation_prompt="{weiter} {tail} bitte",
    )
    assert entrance(llm, "Los.").text == TEXTS["prose"]
    prompt = bedrock.requests[1].body["messages"][-1]["content"][0]["text"]
    assert prompt.startswith("{weiter} <tail>")


def test_a_guard_on_the_last_turn_is_not_turned_to_our_own_words(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    llm = model(
        bedrock,
        model=REFUSING_MODEL,
        guard_last_turn_only=True,
        guardrail_config={"guardrailIdentifier": "g", "guardrailVersion": "1"},
    )
    with pytest.raises(Exception, match="no prefilled answer"):
        entrance(llm, "Go on.")


def test_unknown_models_are_asked_in_a_user_turn() -> None:
    rules = {"acme.model-v1": ModelRules(takes_prefill=True)}
    with LocalBedrock(echoing(TEXTS["prose"]), models=rules) as bedrock:
        llm = model(bedrock, model="acme.model-v1", max_tokens=40)
        message = llm.invoke("Go on.")
        assert message.text == TEXTS["prose"]
        assert message.response_metadata["continuation"]["strategy"] == "user_turn"
