"""The text before a seam: what was read of it in parts is what all of it says."""

from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.json_prefix import JsonPrefix
from langchain_bedrock_continue._core.text.markdown import last_fence, table_at_end
from langchain_bedrock_continue._core.text.open_code import language_by_start
from langchain_bedrock_continue._core.text.text_before import (
    HEAD,
    TAIL,
    TextBefore,
    TextScan,
    compared,
)

TAGS = ("<thinking>", "</thinking>")
PARTS = st.lists(
    st.lists(
        st.sampled_from(
            [
                *("\n", "\n", "\n", " ", "{", "}", "[", "]", ",", '"a": 1', '"', "\\"),
                *("```", "```json\n", "```py", "`", "~~~", "> - ```", "x"),
                *("| a | b |\n", "|---|---|\n", "| 1", " |\n", "|"),
                *(*TAGS, "<think"),
            ]
        ),
        max_size=5,
    ).map("".join),
    max_size=8,
)


def scan_of(parts: list[str]) -> TextScan:
    """Read a text part by part."""
    *_, read = accumulate(parts, TextScan.extended, initial=TextScan(TAGS))
    return read


@given(PARTS)
@example(["```json\n", '{"a"', ": ", "1"])
@example(["``", "`json", '\n{"a": 1,\n', "``", "`", "\n"])
@example(["| a |\n|---|\n| 1 |\n", "\n", "| 2 |"])
def test_before_1_reading_in_parts_tells_what_all_of_it_tells(parts: list[str]) -> None:
    text, read = "".join(parts), scan_of(parts)
    fence = last_fence(text)
    code = text if fence is None else text[fence.start :]
    assert (read.length, read.head) == (len(text), text[:HEAD])
    assert read.fence == fence
    assert read.in_fence == (fence is not None and fence.end is None)
    expected = language_by_start(text) if fence is None else fence.language.lower()
    assert read.language == expected
    assert read.code_line == code.rpartition("\n")[2]
    assert read.in_thinking == (text.rfind(TAGS[0]) > text.rfind(TAGS[1]))


@given(PARTS)
@example(['{"a": ', "1", ", x"])
@example(['```json\n{"a": "\n', "```", 'x" }'])
def test_before_1_json_is_read_on(parts: list[str]) -> None:
    text, read = "".join(parts), scan_of(parts)
    fence = last_fence(text)
    json = JsonPrefix()
    code = text if fence is None else text[fence.start :]
    is_json = json.feed(code) is None and json.is_judged
    is_closed = fence is not None and fence.end is not None
    if read.language == "json" and is_json and not is_closed:
        assert read.json is not None
        assert vars(read.json) == vars(json)
    else:
        assert read.json is None


@given(PARTS, st.integers(0, 3))
def test_before_1_the_table_is_that_of_all_lines(parts: list[str], kept: int) -> None:
    text, first = "".join(parts), "".join(parts[:-kept] if kept else parts)
    rest = text[len(first) :]
    if rest.strip():  # what was read is released, and does not end in whitespace
        first, rest = first.rstrip(), text[len(first.rstrip()) :]
        before = TextBefore(text, scan_of([first]), rest, lambda: text)
        assert before.table == table_at_end(text.rstrip())
    assert TextBefore.of(text).table == table_at_end(text.rstrip())


@pytest.mark.parametrize("most", [0, 50_000])
@pytest.mark.parametrize("more", [-1_000, 0, 1])
def test_before_2_a_long_text_is_compared_at_its_start_and_its_end(
    more: int, most: int
) -> None:
    size = HEAD + max(TAIL, most) + more
    text = "".join(chr(0x4E00 + at % 20_000) for at in range(size))
    read, rest = TextScan().extended(text[:-5]), text[-5:]
    shown = compared(read, rest, lambda count: text[-count:], most)
    before = TextBefore(shown, read, rest, lambda: text)
    assert shown == (text if more < 1 else text[:HEAD] + text[HEAD + 1 :])
    assert before.omitted == before.without(2).omitted == max(0, more)
    assert before.without(2).whole() == text[:-2]
