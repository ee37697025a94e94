"""A stop sequence ends the turn where it ends an answer that is not truncated."""

import pytest

from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.models import REFUSING_MODEL, model, plain_model
from tests.support.scripts import echoing

CASES = {
    "words": (
        "One thing and END of another. The END OF FILE here. More.",
        "END OF FILE",
    ),
    "lines": ("A line.\n\nStill mine.\n\nHuman: not mine any more.\n", "\n\nHuman:"),
    "fence": ('```json\n{"a": [1, 2, 3],\n "b": "`x`"}\n```\nand talk', "```\n"),
    "japanese": ("これは長い文章です。まだ続きます。以上です。終わり。", "以上です。"),
    "twice": ("aXX aX aXX aXXX and so on it goes", "XXX"),
    "never": ("Nothing here says the word, ST or STO, not even once.", "STOP"),
    "at once": ("EEND", "END"),
    "removed and repeated": ("Some words that end here!\n- END and more", "!\n- END"),
}


@pytest.mark.parametrize("name", ["prefill", "user_turn"])
@pytest.mark.parametrize("case", CASES)
def test_a_stop_sequence_ends_the_turn_wherever_the_text_is_truncated(
    serve: Serve, entrance: Entrance, case: str, name: str
) -> None:
    text, stop = CASES[case]
    bedrock = serve(text)
    plain = plain_model(bedrock, max_tokens=500).invoke("?", stop=[stop])
    bedrock = serve(text if name == "prefill" else echoing(text))
    for max_tokens in range(4 if name == "prefill" else 11, 24):
        bedrock.clear()
        llm = model(
            bedrock,
            max_tokens=max_tokens,
            **({} if name == "prefill" else {"model": REFUSING_MODEL}),
        )
        message = entrance(llm, "?", stop=[stop])
        assert message.text == plain.text, max_tokens
        ours, theirs = message.response_metadata, plain.response_metadata
        assert ours["stopReason"] == theirs["stopReason"]
        assert ours["continuation"]["ended_by"] == "model"


def test_a_stop_sequence_of_the_model_itself_ends_the_turn_too(
    serve: Serve, entrance: Entrance
) -> None:
    text, stop = CASES["words"]
    for max_tokens in range(6, 24):
        bedrock = serve(text)
        llm = model(bedrock, max_tokens=max_tokens, stop_sequences=[stop])
        assert entrance(llm, "?").text == text.partition(stop)[0]
