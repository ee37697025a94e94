"""Segments of a few tokens, in user turns: the echo has tokens of its own.

With a quote that is too short, or none, a new message can't say whether a blank comes
before its first word.
"""

from typing import Any

import pytest

from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending
from tests.support.models import REFUSING_MODEL, model
from tests.support.scripts import echoing
from tests.support.texts import TEXTS

CHINESE = (
    "在一个遥远的地方，有一座小小的山，山上住着一位老人。"
    "他每天早上都去河边打水，然后坐在树下读一本旧书。"
)
ALL_TEXTS = {**TEXTS, "Chinese": CHINESE}
SIZES = (5, 8, 10, 16, 32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", sorted(ALL_TEXTS))
def test_a_text_is_exact_at_every_size(
    serve: Serve, entrance: Entrance, kind: str, size: int
) -> None:
    text = ALL_TEXTS[kind]
    bedrock = serve(echoing(text))
    message = entrance(model(bedrock, model=REFUSING_MODEL, max_tokens=size), "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    entries = continuation(message)["segments"]
    sent = [one.body["inferenceConfig"]["maxTokens"] for one in bedrock.requests]
    assert sent == [entry["max_tokens"] for entry in entries]
    assert sent[0] == size
    # Each echo is paid for on top: every segment adds as much as it would without.
    used = [entry for entry in entries if "problem" not in entry]
    tokens = sum(entry["output_tokens"] for entry in used)
    assert len(used) <= tokens / size + 1


def test_quote_5_a_large_segment_has_no_tokens_on_top(serve: Serve) -> None:
    words = " ".join(f"word{n}" for n in range(900))
    bedrock = serve(echoing(words))
    message = model(bedrock, model=REFUSING_MODEL, max_tokens=500).invoke("Hi")
    assert message.text == words
    assert {entry["max_tokens"] for entry in continuation(message)["segments"]} == {500}


@pytest.mark.parametrize("limit", ["max_tokens_ceiling", "max_total_tokens"])
def test_quote_5_the_tokens_of_the_echo_are_within_the_callers_limits(
    serve: Serve, entrance: Entrance, limit: str
) -> None:
    bedrock = serve(echoing(TEXTS["prose"]))
    limits: dict[str, Any] = {limit: 16}
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=10, **limits)
    entries = continuation(entrance(llm, "Hi"))["segments"]
    assert max(entry["max_tokens"] for entry in entries) <= 16
    if limit == "max_total_tokens":
        assert sum(entry["output_tokens"] for entry in entries) <= 16
