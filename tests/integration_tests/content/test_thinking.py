"""Thinking over cuts: the message has one signed thought; none is sent alone."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    Request,
    Say,
    Think,
)
from tests.integration_tests.conftest import (
    REFUSING_MODEL,
    Serve,
    model,
    plain_model,
)
from tests.support.entrances import Entrance
from tests.support.tool_models import (
    BINDING_MODEL,
    PREFILL_MODEL,
    THINKING,
    by_number,
    going_on,
    quote_of,
    tokens_of,
    tools,
)

THOUGHT = "What would a good answer be? A long one, 日本語."
TEXT = "Here it is: a long answer, which goes on and on until it has no more to say.\n"
TOOLS = tools("write")
WRITE = CallTool("write", {"content": "x y z " * 30}, tool_use_id="w")
MODELS = {
    "prefill": PREFILL_MODEL,
    "user turn": REFUSING_MODEL,
    "bound": BINDING_MODEL,
}


def thinking(
    bedrock: LocalBedrock, model_id: str = REFUSING_MODEL, **kwargs: Any
) -> Any:
    settings = {"max_tokens": 40, **THINKING, **kwargs}
    return model(bedrock, model=model_id, **settings).bind_tools(TOOLS)


def kinds(message: AIMessage) -> list[str]:
    return [block["type"] for block in message.content if isinstance(block, dict)]


def thoughts(message: AIMessage) -> list[tuple[str, str | None]]:
    """Each thought of a message, with its signature."""
    inner = [
        block["reasoning_content"]
        for block in message.content
        if isinstance(block, dict) and block["type"] == "reasoning_content"
    ]
    return [(one.get("text"), one.get("signature")) for one in inner]


def check_sent(bedrock: LocalBedrock) -> None:
    """Check that no request holds a turn of reasoning alone, or reasoning unsigned."""
    for request in bedrock.requests:
        turns = [m for m in request.body["messages"] if m["role"] == "assistant"]
        for turn in turns:
            reasons = [
                b["reasoningContent"] for b in turn["content"] if "text" not in b
            ]
            assert len(reasons) < len(turn["content"])
            assert all(one["reasoningText"]["signature"] for one in reasons)


def summary_of(message: AIMessage) -> dict[str, Any]:
    summary: dict[str, Any] = message.response_metadata["continuation"]
    return summary


def sizes_of(bedrock: LocalBedrock) -> list[int]:
    return [one.body["inferenceConfig"]["maxTokens"] for one in bedrock.requests]


# Cut inside thinking ----------------------------------------------------------------


@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_a_cut_thought_is_asked_for_again_with_more_room(
    serve: Serve, entrance: Entrance, model_id: str
) -> None:
    bedrock = serve(going_on(Answer([Think(THOUGHT), TEXT])))
    message = entrance(thinking(bedrock, model_id, max_tokens=5), "Hi")
    assert sizes_of(bedrock)[:2] == [5, 20]
    assert message.text == TEXT
    ((thought, signature),) = thoughts(message)
    assert thought == THOUGHT
    assert signature
    assert summary_of(message)["complete"] is True
    check_sent(bedrock)


def test_thought_and_signature_are_of_the_same_try(
    serve: Serve, entrance: Entrance
) -> None:
    # The first try is cut in its thought, the second in its call, the third is whole.
    answers = [
        Answer([Think(f"{THOUGHT} {n}", signature=f"c2ln{n}"), f"Text {n}. ", WRITE])
        for n in range(3)
    ]
    bedrock = serve(by_number(*answers))
    message = entrance(thinking(bedrock, max_tokens=12), "Hi")
    assert sizes_of(bedrock) == [12, 48, 192]
    # The caller saw the second try's text, so its thought stands.
    assert message.text == "Text 1. "
    assert thoughts(message) == [(f"{THOUGHT} 1", "c2ln1")]
    assert len(message.tool_calls) == 1


def test_a_thought_before_a_call_is_the_last_trys(
    serve: Serve, entrance: Entrance
) -> None:
    answers = [
        Answer([Think(f"{THOUGHT} {n}", signature=f"c2ln{n}"), WRITE]) for n in range(3)
    ]
    bedrock = serve(by_number(*answers))
    message = entrance(thinking(bedrock, max_tokens=30), "Hi")
    assert sizes_of(bedrock) == [30, 120, 480][: len(bedrock.requests)]
    last = len(bedrock.requests) - 1
    assert thoughts(message) == [(f"{THOUGHT} {last}", f"c2ln{last}")]
    assert len(message.tool_calls) == 1


def test_nothing_but_thinking_up_to_the_ceiling(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([Think(THOUGHT * 9), TEXT]))
    llm = thinking(bedrock, max_tokens=10, max_tokens_ceiling=60)
    message = entrance(llm, "Hi")
    assert sizes_of(bedrock) == [10, 40, 60]
    assert summary_of(message)["ended_by"] == "no_progress"
    assert summary_of(message)["complete"] is False
    # What it thought last, and no signature: it was cut.
    ((thought, signature),) = thoughts(message)
    assert (THOUGHT * 9).startswith(thought)
    assert not signature


def test_thinking_alone_is_whole_if_the_model_ends_it(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([Think(THOUGHT, signature="c2ln")]))
    message = entrance(thinking(bedrock), "Hi")
    assert len(bedrock.requests) == 1
    assert thoughts(message) == [(THOUGHT, "c2ln")]
    assert summary_of(message)["complete"] is True


# Cut in the text after it -----------------------------------------------------------


@pytest.mark.parametrize("again", [True, False], ids=["thinks again", "does not"])
@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_a_cut_text_goes_on_in_a_user_turn_with_the_first_thought(
    serve: Serve, entrance: Entrance, model_id: str, again: bool
) -> None:
    later = [Think("Later.", signature="bGF0ZXI=")] if again else []

    def second(request: Request) -> Answer:
        return Answer([*later, quote_of(request) + " the end."])

    bedrock = serve(by_number(Answer([Think("Hm."), TEXT]), second))
    message = entrance(thinking(bedrock, model_id, max_tokens=15), "Hi")
    sent = bedrock.requests[1].body["messages"]
    assert [one["role"] for one in sent] == ["user", "assistant", "user"]
    reasoned, said = sent[1]["content"]
    ((thought, signature),) = thoughts(message)
    thinking_sent = reasoned["reasoningContent"]["reasoningText"]
    assert thinking_sent == {"text": thought, "signature": signature}
    assert thought == "Hm."
    assert message.text == said["text"] + " the end."
    assert summary_of(message)["strategy"] == "user_turn"
    assert kinds(message) == ["reasoning_content", "text"]
    check_sent(bedrock)


def test_a_model_that_thinks_unasked_is_put_no_words_in_its_mouth(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(going_on(Answer([Think("Hm."), TEXT])))
    llm = model(bedrock, model=PREFILL_MODEL, max_tokens=15)
    message = entrance(llm, "Hi")
    assert message.text == TEXT
    assert kinds(message) == ["reasoning_content", "text"]
    assert summary_of(message)["strategy"] == "user_turn"


@pytest.mark.parametrize("max_tokens", [18, 25, 33])
@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_the_message_is_the_uncut_one(
    serve: Serve, entrance: Entrance, model_id: str, max_tokens: int
) -> None:
    bedrock = serve(going_on(Answer([Think(THOUGHT), TEXT * 3])))
    uncut = plain_model(bedrock, model=model_id, max_tokens=500, **THINKING)
    theirs = entrance(uncut.bind_tools(TOOLS), "Hi")
    ours = entrance(thinking(bedrock, model_id, max_tokens=max_tokens), "Hi")
    assert len(bedrock.requests) > 2
    assert ours.content == theirs.content
    check_sent(bedrock)
    # It can be gone on with, thinking and all.
    thinking(bedrock, model_id).invoke([HumanMessage("Hi"), ours, HumanMessage("So?")])


def test_interleaved_thoughts_are_all_kept(serve: Serve, entrance: Entrance) -> None:
    one, two = Think("One.", "czE="), Think(THOUGHT, "czI=")
    content: list[Think | Say | CallTool]
    content = [one, Say(TEXT), two, Say("And so. "), WRITE]
    sizes = [tokens_of(Answer(content[: n + 1])) for n in range(len(content))]
    bedrock = serve(Answer(content))
    uncut = plain_model(bedrock, model=REFUSING_MODEL, max_tokens=500, **THINKING)
    theirs = entrance(uncut.bind_tools(TOOLS), "Hi")
    # Cut inside the second thought, then inside the call behind it.
    for max_tokens in (sizes[1] + 3, sizes[3] + 3):
        bedrock.clear()
        message = entrance(thinking(bedrock, max_tokens=max_tokens), "Hi")
        assert len(bedrock.requests) > 1
        assert message.content == theirs.content


REDACTED = Think(redacted=b"\x00secret")


@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_redacted_thoughts_go_back_and_stay(
    serve: Serve, entrance: Entrance, model_id: str
) -> None:
    bedrock = serve(
        by_number(
            Answer([REDACTED, TEXT]),
            lambda r: Answer([REDACTED, quote_of(r) + " End."]),
        )
    )
    message = entrance(thinking(bedrock, model_id, max_tokens=12), "Hi")
    first, second = bedrock.requests[0], bedrock.requests[1]
    assert len(first.body["messages"]) == 1
    content = second.body["messages"][1]["content"]
    assert content[0] == {"reasoningContent": {"redactedContent": "AHNlY3JldA=="}}
    assert kinds(message) == ["reasoning_content", "text"]
    assert message.text == content[1]["text"] + " End."


def dropped(message: AIMessage) -> dict[str, Any]:
    said: dict[str, Any] = message.response_metadata["continuation"]
    return dict(said["dropped_reasoning"])


def test_what_was_thought_in_vain_is_counted(serve: Serve, entrance: Entrance) -> None:
    """Cut in its thinking, a segment is all thinking: so many tokens are in vain."""
    bedrock = serve(Answer([Think(THOUGHT, "s1"), TEXT]))
    first = tokens_of(Answer([Think(THOUGHT)])) - 1
    message = entrance(thinking(bedrock, max_tokens=first), "Hi")
    assert thoughts(message) == [(THOUGHT, "s1")]
    assert dropped(message) == {"blocks": 1, "tokens": first}


def test_thinking_beside_text_is_counted_without_its_tokens(
    serve: Serve, entrance: Entrance
) -> None:
    """Nobody says how much of a segment's output was thought."""

    def later(request: Request) -> Answer:
        return Answer([Think("Go on.", "s2"), quote_of(request) + " The end."])

    bedrock = serve(by_number(Answer([Think("Well.", "s1"), TEXT]), later))
    message = entrance(thinking(bedrock, max_tokens=12), "Hi")
    assert thoughts(message) == [("Well.", "s1")]
    assert dropped(message) == {"blocks": 1, "tokens": None}


def test_nothing_is_said_of_thinking_that_is_all_there(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([Think(THOUGHT, "s1"), TEXT]))
    message = entrance(thinking(bedrock, max_tokens=500), "Hi")
    assert "dropped_reasoning" not in message.response_metadata["continuation"]


def test_no_prefill_is_tried_where_thinking_was_asked_for(
    serve: Serve, entrance: Entrance
) -> None:
    """A model that was allowed to think need not, and takes no prefill either."""
    bedrock = serve(going_on(Answer([TEXT])))
    message = entrance(thinking(bedrock, PREFILL_MODEL, max_tokens=12), "Hi")
    assert message.text == TEXT
    assert len(bedrock.requests) > 1
    assert {r.body["messages"][-1]["role"] for r in bedrock.requests} == {"user"}
