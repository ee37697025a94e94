"""The rules REST-1 to REST-4, through the join that uses them."""

import pytest

from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.quote import choose_quote

KNIGHT = (
    "Once upon a time there was a knight who had lost his horse, and because he was "
    "too proud to walk he stayed at the inn for a year. Every morning he asked for "
    "his bill, and every evening he asked for an"
)
QUOTE = choose_quote(KNIGHT, 1024)


def joined(
    text: str, message: str, *, truncated: bool = False, opening: str = ""
) -> tuple[str, str]:
    """Join a message, in one piece and character by character."""
    results = []
    for size in (1, len(message) or 1):
        join = EchoJoin(text, choose_quote(text, 1024), opening=opening)
        chunks = [message[at : at + size] for at in range(0, len(message), size)]
        added = "".join(join.feed(chunk) or "" for chunk in chunks)
        added += join.finish(truncated=truncated)
        assert join.is_over
        assert join.result is not None
        results.append((text[: len(text) - join.replaced] + added, join.result.rule))
    assert results[0] == results[1]
    return results[0][0], results[0][1].value


@pytest.mark.parametrize(
    "message",
    [
        "<tail>{quote}</tail>other bed.",
        "<previous>\n{quote}\n</previous>other bed.",
        "```\n{quote}\n```\nother bed.",
        "~~~text\n{quote}\n~~~\nother bed.",
        "```\n{quote}other bed.\n```",
        "```\n<tail>{quote}</tail>\n```\nother bed.",
        "**{quote}**other bed.",
        "> {quote}other bed.",
        "“{quote}”other bed.",
        "<tail>{quote}</tail>\n{text}other bed.",
        "{quote}\n\n{text}other bed.",
        '"{quote}"{text}other bed.',
    ],
)
def test_rest_1_and_2_what_follows_the_echo_is_dropped(message: str) -> None:
    filled = message.format(quote=QUOTE, text=KNIGHT)
    assert joined(KNIGHT, filled)[0] == KNIGHT + "other bed."


def test_the_opening_of_the_prompt_may_be_anything() -> None:
    for opening in ("<tail>", "It ended with: ", "«"):
        message = f"{opening}{QUOTE}other bed."
        assert joined(KNIGHT, message, opening=opening)[0] == KNIGHT + "other bed."


@pytest.mark.parametrize("between", ["", "\n", "\n\n", "</tail>"])
def test_rest_2_a_restart_that_is_truncated_again_adds_nothing(between: str) -> None:
    tag = "<tail>" if between == "</tail>" else ""
    message = tag + QUOTE + between + KNIGHT[:120]
    assert joined(KNIGHT, message, truncated=True) == (KNIGHT, "unfinished")


def test_rest_2_a_verse_that_is_sung_twice_is_kept() -> None:
    verse = "Row, row, row your boat,\ngently down the stream.\nLife is but a dream.\n"
    assert joined(verse, verse + verse)[0] == verse + verse
    assert joined(verse, verse + "\n" + verse + "The end.")[0].endswith("The end.")
    start = KNIGHT + " apple. Once upon a time there was a king"
    assert joined(KNIGHT, QUOTE + start[len(KNIGHT) :])[0] == start


def test_rest_2_a_periodic_text_is_no_restart() -> None:
    text = "la " * 60 + "la"
    rest = " la" * 200
    assert joined(text, choose_quote(text, 1024) + rest)[0] == text + rest


@pytest.mark.parametrize(
    "message", ["{remark}", "({remark})", "{quote}\n\n{remark}", "{quote} {remark}"]
)
def test_rest_3_a_remark_is_dropped(message: str) -> None:
    remark = "The answer was already complete."
    filled = message.format(quote=QUOTE, remark=remark)
    assert joined(KNIGHT, filled) == (KNIGHT, "remark")
    goes_on = joined(KNIGHT, filled + " Then he left.")[0]
    assert goes_on.endswith(filled[-20:] + " Then he left.")


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ('{"a": 1, "b', '```json\n": 2}\n```', '{"a": 1, "b": 2}'),
        ('{"a": 1, "b', '```json\n{"a": 1, "b": 2}\n```\n', '{"a": 1, "b": 2}'),
        ('{"a": 1, "b', '```json\n": "\\n```\\n"}\n```', '{"a": 1, "b": "\\n```\\n"}'),
        ("def f(x):\n    retu", "```python\nrn x\n```", "def f(x):\n    return x"),
        ("f(a,", "```python\nb)\n```", "f(a,b)"),
        ('```json\n{"a": "b', '```json\nc"}\n```\n', '```json\n{"a": "bc"}\n```\n'),
        ('```json\n{"a": "b', '```\nc"}\n```\n', '```json\n{"a": "bc"}\n```\n'),
    ],
)
def test_rest_4_a_fence_in_mid_line_is_no_text(
    text: str, message: str, expected: str
) -> None:
    assert joined(text, message)[0] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("For example:", "```python\nx = 1\n```\n"),
        ("1. Install the package", "```bash\npip install x\n```\nDone."),
        ("## Usage", "```\nx\n```"),
        ("```python\nx = 1", "```\nThat is all."),
    ],
)
def test_rest_4_a_fence_after_a_line_that_may_be_complete_is_text(
    text: str, message: str
) -> None:
    assert joined(text, message) == (text + message, "as_is")


@pytest.mark.parametrize("truncated", [True, False])
def test_rest_4_only_the_last_fence_is_dropped(truncated: bool) -> None:
    message = f"```\n{QUOTE}other:\n```python\nx = 1\n```\nAnd so on.\n```"
    expected = KNIGHT + "other:\n```python\nx = 1\n```\nAnd so on."
    ending = "\n```" if truncated else ""
    assert joined(KNIGHT, message, truncated=truncated)[0] == expected + ending


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("He waited so long..", "He waited so long… Then", "He waited so long... Then"),
        ("It was a dark cafe", "It was a dark café", "It was a dark cafe\u0301"),
        ("It was so late—", "It was so late--and", "It was so late—and"),
        ("late—", "late-- and", "late— and"),
        (
            KNIGHT + " extra — that is, for",
            "evening he asked for an extra - that is, for one",
            KNIGHT + " extra — that is, for one",
        ),
        ("It was so late --", "It was so late — and", "It was so late -- and"),
        ("Ａ＆Ｂ（株）は東京", "A&B(株)は東京都", "Ａ＆Ｂ（株）は東京都"),
        (
            "R&D — the plan",
            "R&amp;D - the plan &amp; more",
            "R&D — the plan &amp; more",
        ),
    ],
)
def test_an_echo_in_another_spelling_is_an_echo(
    text: str, message: str, expected: str
) -> None:
    assert joined(text, message)[0] == expected


def test_a_truncated_repetition_of_an_earlier_place_adds_nothing() -> None:
    lines = [f"Row {n} has {n * n} seats and {n * n * n} lamps." for n in range(40)]
    text = "\n".join(lines)
    again = "\n".join(lines[20:30])
    assert joined(text, again, truncated=True) == (text, "unfinished")
    assert joined(text, again)[0] == text + again


def test_a_light_quote_counts_in_tags_only_if_they_are_closed() -> None:
    text, message = "#include ", "<vector>\n#include <string>\n"
    assert joined(text, message) == (text + message, "as_is")
    assert joined("The lig", "<tail>The lig</tail>hthouse")[0] == "The lighthouse"
