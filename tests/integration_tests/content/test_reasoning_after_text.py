"""Reasoning that comes after the text: the text is continued.

Converse returns DeepSeek-R1's text first, and its reasoning after it.
"""

from typing import Any, cast

import pytest

from langchain_bedrock_continue.local import Answer, CallTool, Request, Script, Think
from tests.support.answers import WEATHER_TOOLS
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending, shape
from tests.support.models import NOVA, PREFILL_MODEL, model, plain_model
from tests.support.resume import Resume
from tests.support.scripts import prefill_of, quote_of

R1 = "us.deepseek.r1-v1:0"
OTHER = "qwen.qwen3-235b-a22b-2507-v1:0"
THOUGHTS = Think("I add it up.", signature="")
PROSE = " ".join(f"Sentence {n} has {n + 7} words." for n in range(9))


def reasoning_last(text: str, size: int, end: Any = None) -> Script:
    """Make a model whose segments have `size` characters, and reasoning after them.

    Args:
        text: What it says.
        size: The characters of a segment.
        end: A block that follows the last segment's text, or None.
    """

    def answer(request: Request) -> Answer:
        quote, prefill = quote_of(request), prefill_of(request)
        at = text.index(quote) if quote else 0
        piece = text[at : at + size + len(quote or prefill)]
        if at + len(piece) < len(text):
            return Answer([piece, THOUGHTS], stop_reason="max_tokens")
        return Answer([piece, THOUGHTS, *([end] if end else [])])

    return Script(answer)


@pytest.mark.parametrize("size", [30, 41, 55])
@pytest.mark.parametrize(
    ("model_id", "strategy"),
    [(R1, "auto"), (OTHER, "auto"), (NOVA, "auto"), (NOVA, "user_turn")],
)
def test_the_text_is_continued(
    serve: Serve, entrance: Entrance, model_id: str, strategy: str, size: int
) -> None:
    bedrock = serve(reasoning_last(PROSE, size))
    llm = model(bedrock, model=model_id, strategy=strategy, max_tokens=1000)
    message = entrance(llm, "Add up.")
    assert message.text == PROSE
    assert ending(message) == ("model", True)
    sizes = {entry["max_tokens"] for entry in continuation(message)["segments"]}
    assert sizes == {1000}
    content: Any = message.content
    assert [block["type"] for block in content] == ["text", "reasoning_content"]
    assert content[1]["reasoning_content"]["text"] == THOUGHTS.text
    assert "truncated" not in content[1]


def test_an_answer_that_is_not_truncated_is_the_same_message(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(Answer([f"{PROSE} ", THOUGHTS]))
    settings: dict[str, Any] = {"model": R1, "max_tokens": 1000}
    ours = shape(every_entrance(model(bedrock, **settings), "Hi"))
    theirs = shape(every_entrance(plain_model(bedrock, **settings), "Hi"))
    assert ours == theirs


def test_a_limit_returns_the_text_and_the_reasoning(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(reasoning_last(PROSE, 40))
    llm = model(bedrock, model=R1, max_tokens=1000, max_continuations=1)
    message = entrance(llm, "Hi")
    assert ending(message) == ("max_continuations", False)
    assert PROSE.startswith(message.text)
    assert len(message.text) > 60
    bedrock = serve(reasoning_last(PROSE, 40))
    whole = model(bedrock, model=R1, max_tokens=1000).resume([("user", "Hi")], message)
    assert whole.text == PROSE
    content: Any = whole.content
    assert [block["type"] for block in content] == ["text", "reasoning_content"]


def test_a_partial_message_of_the_bare_model_keeps_its_reasoning(
    serve: Serve, resume: Resume
) -> None:
    bedrock = serve(reasoning_last(PROSE, 40))
    settings: dict[str, Any] = {"model": R1, "max_tokens": 1000}
    partial = plain_model(bedrock, **settings).invoke("Hi")
    whole = resume(model(bedrock, **settings), [("user", "Hi")], partial)
    assert whole.text == PROSE
    content, before = cast("Any", whole.content), cast("Any", partial.content)
    assert [block["type"] for block in content] == ["text", "reasoning_content"]
    assert content[1]["reasoning_content"] == before[1]["reasoning_content"]


def test_a_tool_call_after_them_has_its_own_block(
    serve: Serve, entrance: Entrance
) -> None:
    call = CallTool("weather", {"city": "Oslo", "days": [1, 2]})
    bedrock = serve(reasoning_last(PROSE, 40, call))
    llm = model(bedrock, model=R1, max_tokens=1000).bind_tools(WEATHER_TOOLS)
    message = entrance(llm, "Hi")
    assert message.text == PROSE
    assert [one["args"] for one in message.tool_calls] == [call.input]
    content: Any = message.content
    types = [block["type"] for block in content]
    assert types == ["text", "reasoning_content", "tool_use"]


def test_claudes_reasoning_after_the_text_is_retried(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(Answer(["Well.", Think("word " * 60)]))
    llm = model(bedrock, model=PREFILL_MODEL, max_tokens=20)
    message = entrance(llm, "Hi")
    assert message.text == "Well."
    entries = continuation(message)["segments"]
    assert [entry["max_tokens"] for entry in entries] == [20, 80]
