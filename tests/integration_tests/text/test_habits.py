"""Models that do not simply go on: what they write beside new text is not shown."""

import json

import pytest

from langchain_bedrock_continue.local import Answer, Request, Script
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.models import REFUSING_MODEL, model

TEXT = (
    "Once upon a time there was a knight who had lost his horse, and because he was "
    "too proud to walk he stayed at the inn for a year, and every evening he asked for "
    "another bed."
)
FIRST = TEXT[:150]


def truncated_then(first: str, second: str) -> Script:
    """Make a model whose first answer is truncated, and the next one is given."""
    answers = iter([Answer(first, stop_reason="max_tokens")])

    def answer(_: Request) -> Answer:
        return next(answers, Answer(second))

    return Script(answer)


@pytest.mark.parametrize(
    "second",
    [
        TEXT,
        f"<tail>{FIRST[-60:]}</tail>{TEXT[150:]}",
        f"```\n{FIRST[-60:]}\n```\n{TEXT[150:]}",
        f"```\n{FIRST[-60:]}{TEXT[150:]}\n```",
        f"> {FIRST[-60:]}{TEXT[150:]}",
        f"{FIRST[-60:]}\n\n{TEXT}",
        f"<tail>{FIRST[-60:]}</tail>\n{TEXT}",
    ],
)
def test_only_new_text_is_shown(serve: Serve, entrance: Entrance, second: str) -> None:
    bedrock = serve(truncated_then(FIRST, second))
    message = entrance(model(bedrock, model=REFUSING_MODEL, max_tokens=200), "Hi")
    assert message.text == TEXT


@pytest.mark.parametrize(
    "remark", ["The answer was already complete.", "回答はすでに完了しています。"]
)
def test_a_remark_that_nothing_is_missing_is_not_shown(
    serve: Serve, entrance: Entrance, remark: str
) -> None:
    bedrock = serve(truncated_then(TEXT, remark))
    message = entrance(model(bedrock, model=REFUSING_MODEL, max_tokens=200), "Hi")
    assert message.text == TEXT


def test_json_that_is_fenced_again_is_json(serve: Serve, entrance: Entrance) -> None:
    document = json.dumps({"name": "knight", "horses": [], "note": "asked for a bed"})
    second = f"```json\n{document[30:]}\n```"
    bedrock = serve(truncated_then(document[:30], second))
    message = entrance(model(bedrock, model=REFUSING_MODEL, max_tokens=200), "Hi")
    assert message.text == document
