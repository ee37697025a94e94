"""Citations, images, traces and unknown blocks are kept over seams, unchanged."""

import base64
from itertools import groupby
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_bedrock_continue._core.policy import Policy
from langchain_bedrock_continue._core.turn import Turn
from langchain_bedrock_continue.local import Answer, Request, Say, Script
from langchain_bedrock_continue.local.script.tokenizer import tokenize
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.models import REFUSING_MODEL, STRATEGIES, model, plain_model
from tests.support.scripts import continuing, tokens_of

FEWEST = 8
"""The fewest tokens in which an echo and some new text fit."""


def cited(number: int) -> dict[str, Any]:
    place = {"documentIndex": 0, "start": number, "end": number + 1}
    source = [{"text": f"quoted {number}"}]
    return {"title": "D", "sourceContent": source, "location": {"documentChar": place}}


SPANS = Answer(
    [
        Say("It is so. "),
        Say("One span says this, ", (cited(1),)),
        Say("and another one, that, ", (cited(2), cited(3))),
        Say("and so on."),
    ]
)


SENTENCE = "One span says this, and it says no more than that."
CITED_LAST = Answer([*SPANS.blocks[:-1], Say("and so it is said.", (cited(4),))])


def truncated_to(answer: Answer, tokens: int) -> Answer:
    """Return the first tokens of an answer, as if `max_tokens` had truncated it."""
    says: list[Say] = []
    for block in answer.blocks:
        assert isinstance(block, Say)
        text = tokenize(block.text)[:tokens]
        tokens -= len(text)
        is_whole = "".join(text) == block.text
        if text:
            says.append(Say("".join(text), block.citations if is_whole else ()))
    return Answer(says, stop_reason="max_tokens")


def spans_of(message: AIMessage) -> list[tuple[str, list[Any]]]:
    """Return the texts with their citations; a span that a seam split is one span."""
    blocks: list[Any] = [b for b in message.content if isinstance(b, dict)]
    by_citations = groupby(blocks, key=lambda block: block.get("citations", []))
    return [("".join(b["text"] for b in span), cited) for cited, span in by_citations]


@pytest.mark.parametrize("answer", [SPANS, CITED_LAST], ids=["inside", "at the end"])
@pytest.mark.parametrize("model_id", STRATEGIES.values(), ids=STRATEGIES)
def test_citations_stay_on_their_texts_wherever_the_answer_is_truncated(
    serve: Serve, entrance: Entrance, model_id: str, answer: Answer
) -> None:
    """Also where a segment is one cited text, and the whole answer is not."""
    bedrock = serve(continuing(answer))
    theirs = entrance(plain_model(bedrock, model=model_id, max_tokens=99), "Hi")
    assert len(spans_of(theirs)) == len(answer.blocks)
    for at in range(FEWEST, tokens_of(answer) + 2):
        ours = entrance(model(bedrock, model=model_id, max_tokens=at), "Hi")
        assert spans_of(ours) == spans_of(theirs), f"truncated at {at}"


@pytest.mark.parametrize("max_tokens", [FEWEST, 99])
def test_an_answer_that_is_one_cited_text_is_what_the_wrapped_model_returns(
    serve: Serve, entrance: Entrance, max_tokens: int
) -> None:
    bedrock = serve(continuing(Answer([Say(SENTENCE, (cited(1),))])))
    theirs = entrance(plain_model(bedrock, max_tokens=99), "Hi")
    ours = entrance(model(bedrock, max_tokens=max_tokens), "Hi")
    assert ours.content == theirs.content


@pytest.mark.parametrize("cut", range(10, tokens_of(SPANS)))
def test_a_cited_answer_that_begins_again_is_not_doubled(
    serve: Serve, entrance: Entrance, cut: int
) -> None:
    """The model restarts its answer, block by block, and gets further each time."""
    bedrock = serve(Script(lambda _: SPANS))
    whole = entrance(plain_model(bedrock, model=REFUSING_MODEL, max_tokens=99), "Hi")
    sizes = iter([cut])

    def answer(request: Request) -> Answer:
        size = next(sizes, None)
        return SPANS if size is None else truncated_to(SPANS, size)

    bedrock = serve(Script(answer))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=99)
    message = entrance(llm, "Hi")
    assert len(bedrock.requests) > 1
    assert message.text == whole.text
    assert spans_of(message) == spans_of(whole)


@pytest.mark.parametrize("max_tokens", range(10, tokens_of(SPANS), 6))
def test_a_cited_answer_that_only_begins_again_is_not_doubled(
    serve: Serve, entrance: Entrance, max_tokens: int
) -> None:
    bedrock = serve(Script(lambda _: SPANS))
    whole = entrance(plain_model(bedrock, model=REFUSING_MODEL, max_tokens=99), "Hi")
    ours = model(bedrock, model=REFUSING_MODEL, max_tokens=max_tokens)
    message = entrance(ours, "Hi")
    assert len(bedrock.requests) > 2
    assert whole.text.startswith(message.text)
    spans = [(text, citations) for text, citations in spans_of(message) if citations]
    assert all(span in spans_of(whole) for span in spans)


PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
INPUT: list[Any] = [
    {"type": "text", "text": "What is this?"},
    {"image": {"format": "png", "source": {"bytes": PIXEL}}},
    {
        "document": {
            "format": "txt",
            "name": "notes",
            "source": {"bytes": b"Some notes."},
            "citations": {"enabled": True},
        }
    },
    {"guardContent": {"text": {"text": "Guarded."}}},
]


@pytest.mark.parametrize("model_id", STRATEGIES.values(), ids=STRATEGIES)
def test_images_and_documents_are_in_every_request(
    serve: Serve, entrance: Entrance, model_id: str
) -> None:
    bedrock = serve(continuing(Answer(["It is a pixel, and a note. " * 5])))
    asked = [HumanMessage(content=INPUT)]
    entrance(plain_model(bedrock, model=model_id, max_tokens=500), asked)
    message = entrance(model(bedrock, model=model_id, max_tokens=12), asked)
    assert message.text == "It is a pixel, and a note. " * 5
    theirs, *ours = [one.body["messages"][0] for one in bedrock.requests]
    assert len(ours) > 2
    assert ours == [theirs] * len(ours)
    assert len(theirs["content"]) == len(INPUT)


# Blocks that no scripted model produces, in the form that langchain-aws returns.

UNKNOWN: list[Any] = [
    {"type": "image", "image": {"format": "png", "source": {"bytes": b"x"}}},
    {"type": "a_new_kind", "of": {"content": [1, None]}},
    {"type": "non_standard", "value": {"x": "y"}},
]
TRACE: dict[str, Any] = {"guardrail": {"inputAssessment": {"g": {"topicPolicy": {}}}}}


def ended(reason: str, **more: Any) -> dict[str, Any]:
    return {"stopReason": reason, "model_provider": "bedrock_converse", **more}


def said(*segments: AIMessage) -> tuple[AIMessage, list[Any]]:
    """Run a turn with these segments; return its message, and the messages sent."""
    policy = Policy(strategy="user_turn")
    turn, waiting, sent = Turn([HumanMessage("Hi")], {}, policy), list(segments), []
    for request in turn.requests():
        sent.append(request.messages)
        turn.receive(waiting.pop(0))
        turn.end_segment()
    assert waiting == []
    return turn.message(), sent


@pytest.mark.parametrize("block", UNKNOWN, ids=lambda block: block["type"])
@pytest.mark.parametrize("place", ["first", "between", "last", "later"])
def test_unknown_blocks_are_kept(block: Any, place: str) -> None:
    def text(words: str) -> dict[str, str]:
        return {"type": "text", "text": words}

    segments: dict[str, tuple[list[Any], list[Any]]] = {
        "first": ([block, text("One two")], [text(" three.")]),
        "between": ([text("One "), block, text("two")], [text(" three.")]),
        "last": ([text("One two")], [text(" three."), block]),
        "later": ([text("One two")], [text(" three."), block, text(" Four.")]),
    }
    first, second = segments[place]
    message, _ = said(
        AIMessage(content=first, response_metadata=ended("max_tokens")),
        AIMessage(content=second, response_metadata=ended("end_turn")),
    )
    assert [one for one in message.content if one["type"] != "text"] == [block]  # type: ignore[index]
    assert message.text.startswith("One two three.")


def test_a_block_after_the_text_of_a_truncated_segment_is_kept_by_its_retry() -> None:
    content: list[Any] = [{"type": "text", "text": "One."}, UNKNOWN[1]]
    message, sent = said(
        AIMessage(content=content, response_metadata=ended("max_tokens")),
        AIMessage(content=content, response_metadata=ended("end_turn")),
    )
    assert message.content == content
    assert [len(one) for one in sent] == [1, 1]


def test_a_guardrails_trace_is_kept() -> None:
    message, _ = said(
        AIMessage("One two", response_metadata=ended("max_tokens", trace=TRACE)),
        AIMessage(
            " three.", response_metadata=ended("guardrail_intervened", trace=TRACE)
        ),
    )
    assert message.response_metadata["trace"] == TRACE
    assert message.response_metadata["stopReason"] == "guardrail_intervened"
    assert message.text == "One two three."
