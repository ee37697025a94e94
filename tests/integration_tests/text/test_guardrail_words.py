"""A guardrail's or a filter's own words in a later segment are not the model's."""

from typing import Any

import pytest

from langchain_bedrock_continue.local import Answer, Request, Script
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance, by_invoke
from tests.support.messages import continuation
from tests.support.models import MODEL, REFUSING_MODEL, model, plain_model
from tests.support.scripts import continuing, prefill_of, quote_of
from tests.support.texts import TEXTS

BLOCKED = "Sorry, the model cannot answer this question."
REASONS = ["guardrail_intervened", "content_filtered"]
MODELS = pytest.mark.parametrize(
    "model_id", [MODEL, REFUSING_MODEL], ids=["prefill", "user turn"]
)


def blocking(text: str, reason: str, words: str) -> Script:
    """Make a model whose first segment is text, and whose second a guardrail blocks."""

    def answer(request: Request) -> Answer:
        prefill, quote = prefill_of(request), quote_of(request)
        if not (prefill or quote):
            return Answer(text)
        return Answer(prefill + words, stop_reason=reason)

    return Script(answer)


@MODELS
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_words_of_the_service_are_a_block_of_their_own(
    serve: Serve, kind: str, reason: str, entrance: Entrance, model_id: str
) -> None:
    bedrock = serve(blocking(TEXTS[kind], reason, BLOCKED))
    for size in (12, 13, 14, 15):
        settings: dict[str, Any] = {"model": model_id, "max_tokens": size}
        bare = by_invoke(plain_model(bedrock, **settings), "Hi")
        bedrock.clear()
        message = entrance(model(bedrock, **settings), "Hi")
        content: Any = message.content
        assert [block["text"] for block in content] == [f"{bare.text}\n\n", BLOCKED]
        assert message.response_metadata["stopReason"] == reason
        assert len(bedrock.requests) == 2
        assert continuation(message)["seams"] == [len(message.text) - len(BLOCKED)]


@pytest.mark.parametrize("reason", REASONS)
def test_the_models_own_words_before_a_guardrail_are_continued(
    serve: Serve, reason: str, entrance: Entrance
) -> None:
    text = TEXTS["prose"]

    def answer(request: Request) -> Answer:
        later = prefill_of(request) or quote_of(request)
        return Answer(text, stop_reason=reason if later else None)

    bedrock = serve(Script(answer))
    bare = by_invoke(plain_model(bedrock, max_tokens=13), "Hi").text
    message = entrance(model(bedrock, max_tokens=13), "Hi")
    assert message.text.startswith(bare)
    assert text.startswith(message.text)
    assert len(message.text) > len(bare)


LONG_WORDS = f"{BLOCKED} " * 10
"""Of 450 characters: a guardrail's message has at most 500."""
GUARD: dict[str, Any] = {
    "guardrail_config": {"guardrailIdentifier": "g", "guardrailVersion": "1"}
}


@MODELS
def test_held_2_long_words_are_told_by_the_requests_guardrail(
    serve: Serve, entrance: Entrance, model_id: str
) -> None:
    text = " ".join(f"sentence {n}," for n in range(900))
    bedrock = serve(blocking(text, "guardrail_intervened", LONG_WORDS))
    settings: dict[str, Any] = {"model": model_id, "max_tokens": 150, **GUARD}
    bare = by_invoke(plain_model(bedrock, **settings), "Hi")
    bedrock.clear()
    message = entrance(model(bedrock, **settings), "Hi")
    content: Any = message.content
    expected = [f"{bare.text.rstrip()}\n\n", LONG_WORDS]
    assert [block["text"].strip() for block in content] == [
        one.strip() for one in expected
    ]
    assert len(bedrock.requests) == 2


@MODELS
def test_held_1_what_the_model_writes_is_not_held(serve: Serve, model_id: str) -> None:
    words = " ".join(f"word{n}" for n in range(150))
    bedrock = serve(continuing(Answer(words)))
    llm = model(bedrock, model=model_id, max_tokens=200)
    chunks = [chunk.text for chunk in llm.stream("Hi") if chunk.text]
    assert "".join(chunks) == words
    assert max(map(len, chunks)) < 100


@pytest.mark.parametrize("guard", [{}, GUARD], ids=["bare", "guarded"])
def test_held_2_a_sentence_that_the_model_begins_is_held_for_a_few_words(
    serve: Serve, guard: Any
) -> None:
    words = " ".join(f"Word{n}" for n in range(400))
    bedrock = serve(continuing(Answer(words)))
    for size in (200, 201, 202, 203):
        llm = model(bedrock, max_tokens=size, max_continuations=40, **guard)
        chunks = [chunk.text for chunk in llm.stream("Hi") if chunk.text]
        assert "".join(chunks) == words
        assert max(map(len, chunks)) < (700 if guard else 240)
