"""New text that begins with a name, as an earlier line does; and before a tool call.

The model does as it is asked: it repeats the quote, and goes on. After the seam, in the
middle of a sentence, the next words are those with which a line before begins.
"""

from collections.abc import Callable

import pytest

from langchain_bedrock_continue.local import Answer, CallTool, Request, Say, Script
from langchain_bedrock_continue.local.script.tokenizer import tokenize
from tests.support.answers import tools
from tests.support.endpoint import Serve
from tests.support.entrances import Entrance
from tests.support.messages import continuation, ending
from tests.support.models import REFUSING_MODEL, model
from tests.support.scripts import continuing, quote_of

TEXTS = {
    "at the begin of a line": """\
# Options

Harbour Trust Savings Accounts keep your money safe, and pay some interest.

Bonds pay more, but their price may fall before you need the money.

For a small sum, most of our readers begin with | Harbour Trust Savings Accounts, since
they cost nothing at all. Later you can buy bonds.""",
    "at the begin of the text": """\
Alexandrine Montgomery-Hill was born in a lighthouse, and never left it.

Her songs were sung in the northern bay. Today the museum is named after |\
 Alexandrine Montgomery-Hill, and it sells postcards of the lighthouse.""",
    "in Japanese": """\
国立海洋研究開発機構は、海の底を調べる機関です。

多くの船を持ち、世界中の海に出かけます。私が初めて見学したのは、|\
国立海洋研究開発機構の古い船でした。とても大きな船でした。""",
}
"""Answers, with a mark where `max_tokens` truncates them."""


def size_of(text: str) -> int:
    """Return the `max_tokens` that truncates an answer after a text."""
    return len(tokenize(text.rstrip(" ")))


@pytest.mark.parametrize("name", TEXTS)
def test_a_name_after_the_quote_is_no_restart(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    before, _, after = TEXTS[name].partition("|")
    text = before.rstrip(" ") + after
    bedrock = serve(continuing(Answer(text)))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=size_of(before))
    message = entrance(llm, "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    problems = [one.get("problem") for one in continuation(message)["segments"]]
    assert problems == [None] * len(problems)


TOOLS = tools("write")
CALL = CallTool("write", {"path": "a.md"}, tool_use_id="w")
LINE = "Bread is baked early, and it is sold before the sun is up over the roofs.\n\n"
BEFORE = LINE + "Cakes take longer, because the cream has to rest. We sell them "
AFTER = "at noon, in the other shop. I save that now."

# What the model writes before its call, besides the rest of the text.
RESTARTS: dict[str, Callable[[str], str]] = {
    "from the begin": lambda _: BEFORE + AFTER,
    "from the begin, after the quote": lambda quote: f"{quote}\n\n{BEFORE}{AFTER}",
    "not at all": lambda _: f"Now: {AFTER}",
    "a whole line, after the quote": lambda quote: f"{quote}\n\n{LINE}{AFTER}",
}


@pytest.mark.parametrize("name", RESTARTS)
def test_the_new_text_before_a_call_is_kept_however_it_begins(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    def answer(request: Request) -> Answer:
        quote = quote_of(request)
        text = RESTARTS[name](quote) if quote else BEFORE + AFTER
        return Answer([Say(text), CALL])

    bedrock = serve(Script(answer))
    llm = model(bedrock, model=REFUSING_MODEL, max_tokens=size_of(BEFORE))
    message = entrance(llm.bind_tools(TOOLS), "Hi")
    assert [call["id"] for call in message.tool_calls] == ["w"]
    assert message.text.startswith(BEFORE.rstrip())
    assert message.text.endswith(AFTER)
    assert message.text.count(AFTER) == 1
    if "from the begin" in name:
        assert message.text == BEFORE + AFTER
