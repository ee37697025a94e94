"""A truncated text is continued by a prefill, and returned complete."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation
from tests.support.models import model
from tests.support.texts import TEXTS


@pytest.mark.parametrize("max_tokens", [3, 7, 12, 1000])
@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_is_complete(
    serve: Serve, every_entrance: Entrance, kind: str, max_tokens: int
) -> None:
    bedrock = serve(TEXTS[kind])
    message = every_entrance(model(bedrock, max_tokens=max_tokens), "Go on.")
    assert message.text == TEXTS[kind]
    summary = continuation(message)
    assert summary["ended_by"] == "model"
    assert summary["complete"]
    assert len(bedrock.requests) == len(summary["segments"])
    assert [entry["request_id"] for entry in summary["segments"]] == [
        request.request_id for request in bedrock.requests
    ]


def test_an_answer_that_is_not_truncated_costs_one_request(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve("Short.")
    message = every_entrance(model(bedrock), "Hi")
    assert len(bedrock.requests) == 1
    summary = continuation(message)
    assert (summary["strategy"], summary["seams"]) == (None, [])


def test_seams_are_the_offsets_where_segments_join(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(TEXTS["prose"])
    message = entrance(model(bedrock), "Go on.")
    prefills = [
        request.body["messages"][-1]["content"][0]["text"]
        for request in bedrock.requests[1:]
    ]
    seams = continuation(message)["seams"]
    assert [message.text[:seam] for seam in seams] == prefills


def test_the_callers_own_prefill_is_extended_and_not_returned(
    serve: Serve, entrance: Entrance
) -> None:
    begun = "Certainly: here"
    bedrock = serve(begun + " is the list.\n\n1. One\n2. Two\n3. Three\n4. Four\n")
    asked = [HumanMessage("List"), AIMessage(begun + " \n")]
    message = entrance(model(bedrock, max_tokens=5), asked)
    assert message.text == " is the list.\n\n1. One\n2. Two\n3. Three\n4. Four\n"
    for request in bedrock.requests:
        roles = [sent["role"] for sent in request.body["messages"]]
        assert roles == ["user", "assistant"]


def test_an_empty_last_segment_loses_nothing(serve: Serve, entrance: Entrance) -> None:
    # The answer fills its last segment exactly, so that the one after it is empty.
    text = "one two three four\n"
    for max_tokens in range(1, 8):
        bedrock = serve(text)
        assert entrance(model(bedrock, max_tokens=max_tokens), "?").text == text


def test_every_request_has_all_settings_of_the_first(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(TEXTS["prose"])
    llm = model(
        bedrock,
        temperature=0.5,
        system=["Always."],
        additional_model_request_fields={"top_k": 7},
        guardrail_config={"guardrailIdentifier": "g", "guardrailVersion": "1"},
        request_metadata={"team": "x"},
    )
    asked = [SystemMessage("Be brief."), HumanMessage("Go"), AIMessage("a: ")]
    entrance(llm, [*asked, HumanMessage("on")], stop=["STOP"])
    first, *later = [request.body for request in bedrock.requests]
    assert len(later) > 2
    assert first["system"] == [{"text": "Always."}, {"text": "Be brief."}]
    for body in later:
        assert body["messages"][:-1] == first["messages"]
        assert body["messages"][-1]["role"] == "assistant"
        assert {**body, "messages": []} == {**first, "messages": []}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_stream_shows_text_as_it_arrives(serve: Serve, kind: str) -> None:
    bedrock = serve(TEXTS[kind])
    shown = [chunk.text for chunk in model(bedrock).stream("Go on.") if chunk.text]
    assert "".join(shown) == TEXTS[kind]
    assert len(shown) > 5
