"""A message that begins with the text's last line: a row, an item, a line of code."""

import pytest

from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from langchain_bedrock_continue._core.text.quote import choose_quote

TABLE = "Lakes:\n\n| Name | Depth |\n|---|---|\n| Ober | 88 metres |\n"
LIST = "Lakes:\n\n1. **Ober**: 88 metres deep.\n2. **Unter**: 90 metres deep.\n"
BULLETS = "Lakes:\n\n- Ober, 88 metres deep.\n- Unter, 90 metres deep.\n"
CODE = "Lakes:\n\n```python\ndef depth(lake):\n    found = lakes[lake]\n"

LINES = [
    # The text before a line, that line with what follows, the least that shows it.
    (TABLE, "| Walen | 151 metres |\n| Brienz | 259 metres |\n", "|"),
    ("Lakes:\n\n", "| Name | Depth | Canton |\n|---|---|---|\n", "|"),
    (LIST, "3. **Walen**: 151 metres deep.\n4. **Brienz**: 259 metres.\n", "3."),
    (LIST, "3) Walen\n4) Brienz\n", "3)"),
    (BULLETS, "- Walen, 151 metres deep.\n- Brienz, 259 metres deep.\n", "-"),
    (BULLETS, "  * Walen, 151 metres deep.\n  * Brienz.\n", "  *"),
    (f"{BULLETS}\n", "## Walen and Brienz\n\nBoth are deep.\n", "## W"),
    (CODE, "    return found.depth\n\n", "    ret"),
    (CODE, "\tdepth = found\n", "\tdep"),
]


def joined(text: str, chunks: list[str]) -> tuple[str, str | None, bool]:
    join = EchoJoin(text, choose_quote(text, 1024))
    new = "".join([*(join.feed(chunk) or "" for chunk in chunks), join.finish()])
    whole = text[: len(text) - join.replaced] + new
    return whole, join.result.rule if join.result else None, join.repeats


@pytest.mark.parametrize(("before", "lines", "least"), LINES)
def test_the_last_line_is_written_again(before: str, lines: str, least: str) -> None:
    for at in range(len(least), lines.index("\n")):
        text = before + lines[:at]
        for chunks in ([lines], list(lines)):
            whole, _, repeats = joined(text, chunks)
            assert (whole, repeats) == (before + lines, True), text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{LIST}3. **W", "4. **Brienz**"),  # another item
        (f"{LIST}3", "3. **Brienz**"),  # perhaps item 33
        (f"{BULLETS}-", "--\n\nDone."),  # a ruled line
        (f"{BULLETS}*", "*Deep* lakes"),
        (f"{BULLETS}\n#", "# Walen"),  # a heading of the next level
        (f"{BULLETS}The", "The lakes"),
        (f"{TABLE}| Walen | 151 metres |", "| Brienz |"),  # the row is complete
        (f"{CODE}    if", "    iffy = 1"),  # two letters
        (f"{CODE}    foun", "found = 1"),  # not indented
        (f"{TABLE}\n", "| Name | Depth |"),
    ],
)
def test_other_messages_do_not_write_it_again(text: str, message: str) -> None:
    for chunks in ([message], list(message)):
        whole, rule, repeats = joined(text, chunks)
        assert (whole, rule, repeats) == (text + message, "as_is", False)


@pytest.mark.parametrize("row", ["|", "| Ob", "| Ober | 8"])
def test_the_header_is_not_the_row_that_has_begun(row: str) -> None:
    rest = "| Ober | 88 metres |\n"[len(row) :]
    message = f"| Name | Depth |\n|---|---|\n{row}{rest}"
    for chunks in ([message], list(message)):
        whole, rule, _ = joined(TABLE + row, chunks)
        assert (whole, rule) == (TABLE + row + rest, "header")
