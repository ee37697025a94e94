"""A guardrail's or a filter's own words in a later segment are not the model's."""

from typing import Any

import pytest

from langchain_bedrock_continue.local import Answer, Request, Script
from tests.support.endpoint import Serve
from tests.support.entrances import by_ainvoke, by_invoke
from tests.support.messages import continuation
from tests.support.models import MODEL, REFUSING_MODEL, model, plain_model
from tests.support.scripts import prefill_of, quote_of
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
@pytest.mark.parametrize("ask", [by_invoke, by_ainvoke], ids=["invoke", "ainvoke"])
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_words_of_the_service_are_a_block_of_their_own(
    serve: Serve, kind: str, reason: str, ask: Any, model_id: str
) -> None:
    bedrock = serve(blocking(TEXTS[kind], reason, BLOCKED))
    for size in (12, 13, 14, 15):
        settings: dict[str, Any] = {"model": model_id, "max_tokens": size}
        bare = ask(plain_model(bedrock, **settings), "Hi")
        bedrock.clear()
        message = ask(model(bedrock, **settings), "Hi")
        content: Any = message.content
        assert [block["text"] for block in content] == [f"{bare.text}\n\n", BLOCKED]
        assert message.response_metadata["stopReason"] == reason
        assert len(bedrock.requests) == 2
        assert continuation(message)["seams"] == [len(message.text) - len(BLOCKED)]


@pytest.mark.parametrize("reason", REASONS)
def test_the_models_own_words_before_a_guardrail_are_continued(
    serve: Serve, reason: str
) -> None:
    text = TEXTS["prose"]

    def answer(request: Request) -> Answer:
        later = prefill_of(request) or quote_of(request)
        return Answer(text, stop_reason=reason if later else None)

    bedrock = serve(Script(answer))
    bare = by_invoke(plain_model(bedrock, max_tokens=13), "Hi").text
    message = by_invoke(model(bedrock, max_tokens=13), "Hi")
    assert message.text.startswith(bare)
    assert text.startswith(message.text)
    assert len(message.text) > len(bare)
