"""Thinking over segments: the message has one signed thought; none is sent alone."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    LocalBedrock,
    Request,
    Say,
    Think,
)
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, requested_sizes
from tests.support.models import (
    BINDING_MODEL,
    PREFILL_MODEL,
    REFUSING_MODEL,
    STRATEGIES,
    THINKING,
    model,
    plain_model,
)
from tests.support.scripts import continuing, in_order, quote_of, tokens_of

THOUGHT = "What would a good answer be? A long one, 日本語."
TEXT = "Here it is: a long answer, which goes on and on until it has no more to say.\n"
TOOLS = tools("write")
WRITE = CallTool("write", {"content": "x y z " * 30}, tool_use_id="w")
MODELS = {**STRATEGIES, "bound": BINDING_MODEL}


def thinking(
    bedrock: LocalBedrock, model_id: str = REFUSING_MODEL, **kwargs: Any
) -> Any:
    settings = {"max_tokens": 40, **THINKING, **kwargs}
    return model(bedrock, model=model_id, **settings).bind_tools(TOOLS)


def kinds(message: AIMessage) -> list[str]:
    return [block["type"] for block in message.content if isinstance(block, dict)]


def thoughts(
    message: AIMessage, *, truncated: bool = False
) -> list[tuple[str, str | None]]:
    """Return each thought of a message with its signature.

    Args:
        message: The message.
        truncated: Whether to return those that are marked as truncated, or the others.
    """
    inner = [
        block["reasoning_content"]
        for block in message.content
        if isinstance(block, dict)
        and block["type"] == "reasoning_content"
        and block.get("truncated", False) is truncated
    ]
    return [(one.get("text"), one.get("signature")) for one in inner]


def check_sent(bedrock: LocalBedrock) -> None:
    """Check that no request has a message of reasoning alone, or unsigned reasoning."""
    for request in bedrock.requests:
        turns = [m for m in request.body["messages"] if m["role"] == "assistant"]
        for turn in turns:
            reasons = [
                b["reasoningContent"] for b in turn["content"] if "text" not in b
            ]
            assert len(reasons) < len(turn["content"])
            assert all(one["reasoningText"]["signature"] for one in reasons)


# Truncated in the thinking ----------------------------------------------------------


@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_a_truncated_thought_is_retried_with_more_tokens(
    serve: Serve, entrance: Entrance, model_id: str
) -> None:
    bedrock = serve(continuing(Answer([Think(THOUGHT), TEXT])))
    message = entrance(thinking(bedrock, model_id, max_tokens=5), "Hi")
    assert requested_sizes(bedrock)[:2] == [5, 20]
    assert message.text == TEXT
    ((thought, signature),) = thoughts(message)
    assert thought == THOUGHT
    assert signature
    assert continuation(message)["complete"] is True
    check_sent(bedrock)


def test_thought_and_signature_are_of_the_same_attempt(
    serve: Serve, entrance: Entrance
) -> None:
    # The first attempt is truncated in its thought, the second in its call, the third
    # is complete.
    answers = [
        Answer([Think(f"{THOUGHT} {n}", signature=f"c2ln{n}"), f"Text {n}. ", WRITE])
        for n in range(3)
    ]
    bedrock = serve(in_order(*answers))
    message = entrance(thinking(bedrock, max_tokens=12), "Hi")
    assert requested_sizes(bedrock) == [12, 48, 192]
    # The caller saw the second attempt's text, so its thought stays.
    assert message.text == "Text 1. "
    assert thoughts(message) == [(f"{THOUGHT} 1", "c2ln1")]
    assert len(message.tool_calls) == 1


def test_a_whole_thought_before_a_truncated_call_stays(
    serve: Serve, entrance: Entrance
) -> None:
    answers = [
        Answer([Think(f"{THOUGHT} {n}", signature=f"c2ln{n}"), WRITE]) for n in range(3)
    ]
    bedrock = serve(in_order(*answers))
    message = entrance(thinking(bedrock, max_tokens=30), "Hi")
    assert requested_sizes(bedrock) == [30, 120, 480][: len(bedrock.requests)]
    # The caller saw the first thought, which is whole.
    assert len(bedrock.requests) > 1
    assert thoughts(message) == [(f"{THOUGHT} 0", "c2ln0")]
    assert len(message.tool_calls) == 1


def test_an_answer_that_is_all_thinking_at_the_ceiling_ends_without_progress(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([Think(THOUGHT * 9), TEXT]))
    llm = thinking(bedrock, max_tokens=10, max_tokens_ceiling=60)
    message = entrance(llm, "Hi")
    assert requested_sizes(bedrock) == [10, 40, 60]
    assert continuation(message)["ended_by"] == "no_progress"
    assert continuation(message)["complete"] is False
    # No signature: they were truncated. A stream has shown each attempt's.
    assert thoughts(message) == []
    truncated = thoughts(message, truncated=True)
    assert len(truncated) == (3 if isinstance(message, AIMessageChunk) else 1)
    for thought, signature in truncated:
        assert (THOUGHT * 9).startswith(thought)
        assert not signature


def test_thinking_alone_is_complete_if_the_model_ends_it(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([Think(THOUGHT, signature="c2ln")]))
    message = entrance(thinking(bedrock), "Hi")
    assert len(bedrock.requests) == 1
    assert thoughts(message) == [(THOUGHT, "c2ln")]
    assert continuation(message)["complete"] is True


# Truncated in the text after it -----------------------------------------------------


@pytest.mark.parametrize(
    "again", [True, False], ids=["thinks again", "does not think again"]
)
@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_a_truncated_text_is_continued_in_a_user_turn_with_the_first_thought(
    serve: Serve, entrance: Entrance, model_id: str, again: bool
) -> None:
    later = [Think("Later.", signature="bGF0ZXI=")] if again else []

    def second(request: Request) -> Answer:
        return Answer([*later, quote_of(request) + " the end."])

    bedrock = serve(in_order(Answer([Think("Hm."), TEXT]), second))
    message = entrance(thinking(bedrock, model_id, max_tokens=15), "Hi")
    sent = bedrock.requests[1].body["messages"]
    assert [one["role"] for one in sent] == ["user", "assistant", "user"]
    reasoned, said = sent[1]["content"]
    ((thought, signature),) = thoughts(message)
    thinking_sent = reasoned["reasoningContent"]["reasoningText"]
    assert thinking_sent == {"text": thought, "signature": signature}
    assert thought == "Hm."
    assert message.text == said["text"] + " the end."
    assert continuation(message)["strategy"] == "user_turn"
    assert kinds(message) == ["reasoning_content", "text"]
    check_sent(bedrock)


def test_a_model_that_thinks_unasked_gets_no_prefill(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(continuing(Answer([Think("Hm."), TEXT])))
    llm = model(bedrock, model=PREFILL_MODEL, max_tokens=15)
    message = entrance(llm, "Hi")
    assert message.text == TEXT
    assert kinds(message) == ["reasoning_content", "text"]
    assert continuation(message)["strategy"] == "user_turn"


@pytest.mark.parametrize("max_tokens", [18, 25, 33])
@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_the_message_is_that_of_chat_bedrock_converse(
    serve: Serve, entrance: Entrance, model_id: str, max_tokens: int
) -> None:
    bedrock = serve(continuing(Answer([Think(THOUGHT), TEXT * 3])))
    plain = plain_model(bedrock, model=model_id, max_tokens=500, **THINKING)
    theirs = entrance(plain.bind_tools(TOOLS), "Hi")
    ours = entrance(thinking(bedrock, model_id, max_tokens=max_tokens), "Hi")
    assert len(bedrock.requests) > 2
    assert ours.content == theirs.content
    check_sent(bedrock)
    # A later request can send it back, thinking included.
    thinking(bedrock, model_id).invoke([HumanMessage("Hi"), ours, HumanMessage("So?")])


def test_interleaved_thoughts_are_kept(serve: Serve, entrance: Entrance) -> None:
    one, two = Think("One.", "czE="), Think(THOUGHT, "czI=")
    content: list[Think | Say | CallTool]
    content = [one, Say(TEXT), two, Say("And so. "), WRITE]
    sizes = [tokens_of(Answer(content[: n + 1])) for n in range(len(content))]
    bedrock = serve(Answer(content))
    plain = plain_model(bedrock, model=REFUSING_MODEL, max_tokens=500, **THINKING)
    theirs = entrance(plain.bind_tools(TOOLS), "Hi")
    # Truncated in the second thought, then in the call after it.
    for max_tokens in (sizes[1] + 3, sizes[3] + 3):
        bedrock.clear()
        message = entrance(thinking(bedrock, max_tokens=max_tokens), "Hi")
        assert len(bedrock.requests) > 1
        assert unmarked(message.content) == unmarked(theirs.content)


def unmarked(content: Any) -> list[dict[str, Any]]:
    """Return the blocks that are not truncated, without their numbers."""
    return [
        {key: value for key, value in block.items() if key != "index"}
        for block in content
        if not block.get("truncated")
    ]


REDACTED = Think(redacted=b"\x00secret")


@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS)
def test_redacted_thoughts_are_sent_back_and_kept(
    serve: Serve, entrance: Entrance, model_id: str
) -> None:
    bedrock = serve(
        in_order(
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
    """Return what the message says of thinking that was dropped."""
    return dict(continuation(message)["dropped_reasoning"])


def test_dropped_thinking_is_counted(serve: Serve, entrance: Entrance) -> None:
    """A segment that is truncated in its thinking is all thinking."""
    bedrock = serve(Answer([Think(THOUGHT, "s1"), TEXT]))
    first = tokens_of(Answer([Think(THOUGHT)])) - 1
    message = entrance(thinking(bedrock, max_tokens=first), "Hi")
    assert thoughts(message) == [(THOUGHT, "s1")]
    assert dropped(message) == {"blocks": 1, "tokens": first}


def test_dropped_thinking_next_to_text_is_counted_without_its_tokens(
    serve: Serve, entrance: Entrance
) -> None:
    """The service does not report how much of a segment's output is thinking."""

    def later(request: Request) -> Answer:
        return Answer([Think("Go on.", "s2"), quote_of(request) + " The end."])

    bedrock = serve(in_order(Answer([Think("Well.", "s1"), TEXT]), later))
    message = entrance(thinking(bedrock, max_tokens=12), "Hi")
    assert thoughts(message) == [("Well.", "s1")]
    assert dropped(message) == {"blocks": 1, "tokens": None}


def test_thinking_that_is_kept_is_not_counted_as_dropped(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer([Think(THOUGHT, "s1"), TEXT]))
    message = entrance(thinking(bedrock, max_tokens=500), "Hi")
    assert "dropped_reasoning" not in continuation(message)


def test_no_prefill_is_sent_where_thinking_is_enabled(
    serve: Serve, entrance: Entrance
) -> None:
    """Even if the model does not think: it accepts no prefill then."""
    bedrock = serve(continuing(Answer([TEXT])))
    message = entrance(thinking(bedrock, PREFILL_MODEL, max_tokens=12), "Hi")
    assert message.text == TEXT
    assert len(bedrock.requests) > 1
    assert {r.body["messages"][-1]["role"] for r in bedrock.requests} == {"user"}
