"""A model that refuses a prefill is continued in a user turn."""

import itertools

import pytest
from langchain_core.messages import HumanMessage

from langchain_bedrock_continue._core.text.quote import choose_quote
from langchain_bedrock_continue.local import (
    Answer,
    LocalBedrock,
    ModelRules,
    Request,
    Script,
    Think,
)
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending
from tests.support.models import REFUSING_MODEL, model
from tests.support.scripts import echo, echoing
from tests.support.texts import TEXTS


@pytest.mark.parametrize("max_tokens", [11, 25, 60])
@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_is_complete(
    serve: Serve, every_entrance: Entrance, kind: str, max_tokens: int
) -> None:
    bedrock = serve(echoing(TEXTS[kind]))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=max_tokens)
    message = every_entrance(llm, "Go on.")
    assert message.text == TEXTS[kind]
    assert ending(message) == ("model", True)
    if len(bedrock.requests) > 1:
        assert continuation(message)["strategy"] == "user_turn"


def test_each_request_extends_the_messages_of_the_last_one(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(echoing(TEXTS["code"] * 4))
    entrance(model(bedrock, model=REFUSING_MODEL, max_tokens=12), "Go on.")
    sent = [request.body["messages"] for request in bedrock.requests]
    assert len(sent) > 3
    for earlier, later in itertools.pairwise(sent):
        assert later[: len(earlier)] == earlier
        assert [one["role"] for one in later[len(earlier) :]] == ["assistant", "user"]


def test_seams_are_the_offsets_where_segments_join(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(echoing(TEXTS["code"] * 4))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=20)
    message = entrance(llm, "Go on.")
    first = bedrock.requests[1].body["messages"][1]["content"][0]["text"]
    seam = continuation(message)["seams"][0]
    assert message.text[:seam] == first


def test_a_seam_is_before_the_whitespace_that_the_model_repeats(serve: Serve) -> None:
    # Four equal functions: their continuation would look like a restart.
    text = "".join(TEXTS["code"].replace("f(x)", f"f{n}(x)") for n in range(4))
    for max_tokens in range(12, 24):
        bedrock = serve(echoing(text))
        llm = model(bedrock, model=REFUSING_MODEL, max_tokens=max_tokens)
        message = llm.invoke("Go on.")
        assert message.text == text
        for seam in continuation(message)["seams"]:
            assert not text[seam - 1].isspace()


def test_thinking_of_later_segments_is_dropped(
    serve: Serve, entrance: Entrance
) -> None:
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


def test_an_application_inference_profile_is_known_by_its_base_model() -> None:
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


def test_the_caller_can_choose_the_strategy(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    message = entrance(model(bedrock, strategy="user_turn", max_tokens=40), "Go on.")
    assert message.text == TEXTS["prose"]
    assert continuation(message)["strategy"] == "user_turn"
    bedrock = serve(TEXTS["prose"])
    asked = [HumanMessage("Go on.")]
    message = entrance(model(bedrock, strategy="prefill", max_tokens=40), asked)
    assert continuation(message)["strategy"] == "prefill"


def test_the_caller_can_choose_the_prompt(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    prompt = "{weiter} cut off by a length limit:\n\n{tail}\n\nWrite on, bitte."
    llm = model(
        bedrock, strategy="user_turn", max_tokens=40, continuation_prompt=prompt
    )
    message = entrance(llm, "Los.")
    assert message.text == TEXTS["prose"]
    first, *asked = bedrock.requests
    assert len(first.body["messages"]) == 1
    assert asked
    for request in asked:
        sent = request.body["messages"]
        *_, answer, last = (one["content"][0]["text"] for one in sent)
        quote = choose_quote(answer, 40, room=1000)
        assert quote
        assert last == prompt.replace("{tail}", quote)
    segments = continuation(message)["segments"]
    assert "form" not in segments[0]
    for segment in segments[1:]:
        assert segment["form"] == "continuation_prompt"
        assert segment["join"]["rule"] == "echo"
        assert "problem" not in segment


def test_an_unknown_model_is_continued_in_a_user_turn() -> None:
    rules = {"acme.model-v1": ModelRules(takes_prefill=True)}
    with LocalBedrock(echoing(TEXTS["prose"]), models=rules) as bedrock:
        llm = model(bedrock, model="acme.model-v1", max_tokens=40)
        message = llm.invoke("Go on.")
        assert message.text == TEXTS["prose"]
        assert continuation(message)["strategy"] == "user_turn"


def test_a_segment_says_how_its_text_was_joined(serve: Serve) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    message = model(bedrock, model=REFUSING_MODEL, max_tokens=40).invoke("Go on.")
    first, *others = continuation(message)["segments"]
    assert "join" not in first
    assert others
    for segment in others:
        assert segment["join"]["rule"] == "echo"
        assert segment["join"]["dropped"] > 0
