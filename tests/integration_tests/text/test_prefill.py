"""Text that was cut comes back whole, by every entrance."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tests.integration_tests.conftest import Serve, model
from tests.support.entrances import Entrance

TEXTS = {
    "prose": "It was late, and all lay still. " * 5 + "\n\nThen -- a bell.\n",
    "code": "def f(x):\n    if x:\n        return {\n            'k': [],\n        }\n",
    "json": '{\n  "a": [\n    {"b": 1.5e-3},\n    {"b": "x\\ny"}\n  ]\n}\n',
    "table": "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n- x\n- y\n",
    "japanese": "吾輩は猫である。名前はまだ無い。\n\nどこで生れたか知らぬ。\n",
    "repetition": "ha ha ha ha ha! " * 8 + "\nha ha!\n",
    "emoji": "A👩\u200d👩\u200d👧 family, e\u0301te\u0301, 🇯🇵 and 👍🏽.\n" * 3,
}


@pytest.mark.parametrize("max_tokens", [3, 7, 12, 1000])
@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_is_the_uncut_one(
    serve: Serve, entrance: Entrance, kind: str, max_tokens: int
) -> None:
    bedrock = serve(TEXTS[kind])
    message = entrance(model(bedrock, max_tokens=max_tokens), "Go on.")
    assert message.text == TEXTS[kind]
    summary = message.response_metadata["continuation"]
    assert summary["ended_by"] == "model"
    assert summary["complete"]
    assert len(bedrock.requests) == len(summary["segments"])
    assert [entry["request_id"] for entry in summary["segments"]] == [
        request.request_id for request in bedrock.requests
    ]


def test_an_uncut_answer_costs_nothing_extra(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve("Short.")
    message = entrance(model(bedrock), "Hi")
    assert len(bedrock.requests) == 1
    summary = message.response_metadata["continuation"]
    assert (summary["strategy"], summary["seams"]) == (None, [])


def test_seams_say_where_the_segments_meet(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(TEXTS["prose"])
    message = entrance(model(bedrock), "Go on.")
    prefills = [
        request.body["messages"][-1]["content"][0]["text"]
        for request in bedrock.requests[1:]
    ]
    seams = message.response_metadata["continuation"]["seams"]
    assert [message.text[:seam] for seam in seams] == prefills


def test_a_callers_own_prefill_is_extended_and_not_repeated(
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


def test_the_models_end_after_the_last_cut_loses_nothing(
    serve: Serve, entrance: Entrance
) -> None:
    # The answer fills its last segment exactly: the one after it is empty.
    text = "one two three four\n"
    for max_tokens in range(1, 8):
        bedrock = serve(text)
        assert entrance(model(bedrock, max_tokens=max_tokens), "?").text == text


def test_every_segment_carries_everything(serve: Serve, entrance: Entrance) -> None:
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
def test_a_stream_shows_text_while_it_comes(serve: Serve, kind: str) -> None:
    bedrock = serve(TEXTS[kind])
    shown = [chunk.text for chunk in model(bedrock).stream("Go on.") if chunk.text]
    assert "".join(shown) == TEXTS[kind]
    assert len(shown) > 5
