"""The rules END-1 to END-10."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.early_end import EarlyEnd
from tests.seams.texts import open_fence, texts

SQL = "Two tables:\n\n```sql\nCREATE TABLE books (id INT);\n\nINSERT INTO books (id"
LAST = ")\nVALUES (1);\n"
HTML = "```html\n<html>\n<body>\n<ul>\n  <li>One</li>\n"
PYTHON = "```python\ndef walk(to):\n    return (to"
NESTED = "````md\n# A\n\n```sh\nls\n```\n\n(open"


MENU = 'The menu:\n\n```json\n{\n  "dishes": [\n    {"name": "Soup", "price": 7'
ALONE = '[{"name": "Soup", "price": 7'
COMMENTED = '```json\n{\n  // the dishes\n  "dishes": ['

SAID: dict[str, tuple[str, str, str, bool, bool]] = {
    # text before, new text, what is released, gave up, left out
    "the end": (SQL, ")\n```", ")\n", False, True),
    "the end and a line break": (SQL, ")\n```\n\n", ")\n", False, True),
    "at once": (SQL, "\n```\n", "", False, True),
    "an indented fence": (SQL, ")\n  ```\n", ")\n", False, True),
    "a remark": (SQL, ")\n```\n\nThis makes a table.", ")\n", True, True),
    "a block of its own": (
        SQL,
        f")\n```\n\n```sql\n{LAST}```",
        f")\n{LAST}```",
        False,
        True,
    ),
    "a block without a name": (HTML, "```\n\n```\n</ul>", "</ul>", False, True),
    "the block again": (
        SQL,
        ")\n```\n\n```sql\nCREATE TABLE books (id INT);\n",
        ")\n",
        True,
        True,
    ),
    "another language": (SQL, ")\n```\n\n```sh\nls\n```\n", ")\n", True, True),
    "complete": (SQL, f"{LAST}```\n\nDone.", f"{LAST}```\n\nDone.", False, False),
    "complete, another block": (
        SQL,
        f"{LAST}```\n\n```sql\nSELECT (\n```\n",
        f"{LAST}```\n\n```sql\nSELECT (\n```\n",
        False,
        False,
    ),
    "backticks in the code": (
        PYTHON,
        ")\n# ```\n``\n`x`",
        ")\n# ```\n``\n`x`",
        False,
        False,
    ),
    "Python": (PYTHON, "\n```", "", False, True),
    "HTML": (HTML, "  <li>Two\n```\n\nIt lists them.", "  <li>Two\n", True, True),
    "a shorter fence": (NESTED, ")\n```\n", ")\n```\n", False, False),
    "a bracket too few": (MENU, "\n  ]\n}\n```", "", True, True),
    "a bracket too few, after new code": (
        MENU,
        "}\n}\n```",
        "}\n",
        True,
        True,
    ),
    "a bracket too few, later": (MENU, "0}, [1}]", "0}, [1", True, True),
    "a comma too few": (MENU, '}\n    {"name": "', "}", True, True),
    "a key in an array": (MENU, '},\n  "wines": []', '},\n  "wines"', True, True),
    "JSON": (MENU, "},\n 1]}\n```\n[1", "},\n 1]}\n```\n[1", False, False),
    "a comma too many": (MENU, "},]}\n```", "},]}\n```", False, False),
    "the end of JSON again": (f"{MENU}}}]}}\n", "  ]\n}\n```", "", True, True),
    "after JSON": (f"{MENU}}}]}}\n", "```\n\nDone.", "```\n\nDone.", False, False),
    "JSON alone": (ALONE, "]", "", True, True),
    "JSON alone, complete": (ALONE, "}]\n\nDone]", "}]\n\nDone]", False, False),
    "no JSON before": (COMMENTED, "}", "}", False, False),
    "no block before": (
        "Text",
        "\n```sql\nSELECT (\n```\n",
        "\n```sql\nSELECT (\n```\n",
        False,
        False,
    ),
}


def read(
    before: str, chunks: list[str], *, is_last_try: bool = False, repeats: bool = True
) -> tuple[str, bool, bool]:
    fence = EarlyEnd(before, is_last_try=is_last_try, repeats=repeats)
    released = "".join([*map(fence.feed, chunks), fence.finish()])
    return released, fence.gave_up, fence.left_out


@pytest.mark.parametrize("name", SAID)
def test_what_a_message_says(name: str) -> None:
    before, new, *expected = SAID[name]
    assert read(before, [new]) == tuple(expected)
    assert read(before, list(new)) == tuple(expected)


@given(
    before=st.sampled_from([SQL, HTML, PYTHON, MENU, ALONE, NESTED, "Text"]),
    parts=st.lists(
        st.sampled_from(
            [
                "\n",
                "```",
                "`",
                "sql",
                " ",
                ")",
                "x = 1",
                "~~~",
                ";",
                "}",
                ",",
                '"a"',
                "]",
            ]
        ),
        max_size=12,
    ),
    cuts=st.sets(st.integers(0, 40), max_size=6),
)
def test_end_8_the_chunks_do_not_matter(
    before: str, parts: list[str], cuts: set[int]
) -> None:
    new = "".join(parts)
    at = [0, *sorted(cut for cut in cuts if cut < len(new)), len(new)]
    chunks = [new[a:b] for a, b in pairwise(at)]
    for flags in ({}, {"is_last_try": True}, {"repeats": False}):
        assert read(before, chunks, **flags) == read(before, [new], **flags)


@given(
    before=st.sampled_from([SQL, HTML, PYTHON, MENU]),
    new=st.text("`~\n (x;sql", max_size=30),
)
def test_end_6_what_is_released_is_the_text_in_order(before: str, new: str) -> None:
    released, _, left_out = read(before, [new])
    if not left_out:
        assert released == new
    rest = iter(new)
    assert all(char in rest for char in released)


def test_no_complete_text_loses_a_fence() -> None:
    cuts = 0
    for text in texts():
        for cut in range(1, len(text.full), 5):
            before, new = text.full[:cut], text.full[cut:]
            if open_fence(before + "\n") is not None:
                cuts += 1
                assert read(before, [new]) == (new, False, False), (text.name, cut)
    assert cuts > 20


def test_end_6_only_what_may_be_a_fence_is_withheld() -> None:
    fence = EarlyEnd(SQL)
    assert [*map(fence.feed, [")", " ", "VALUES `a`", "\n", "\n  ", "x``"])] == [
        *(")", " ", "VALUES `a`", "", ""),
        "\n\n  x``",
    ]
    assert fence.feed("\n``") == ""
    assert fence.feed("x") == "\n``x"
    assert not fence.is_over
    assert fence.feed(");\n```\n") == ");\n```\n"
    assert fence.is_over


@pytest.mark.parametrize("name", SAID)
def test_end_7_on_the_last_try_it_is_only_noted(name: str) -> None:
    before, new, _, gave_up, left_out = SAID[name]
    expected = (new, gave_up, name in {"a block of its own", "a block without a name"})
    released, *flags = read(before, [new], is_last_try=True)
    if expected[2]:  # END-3 goes on in the block
        assert flags == [False, True]
        assert left_out
    else:
        assert (released, *flags) == (new, gave_up, False)


KEY = '[{"name": "Earth", "mo'


@pytest.mark.parametrize("is_last_try", [True, False])
@pytest.mark.parametrize(
    "new", ['"moons": 1}]', '{"name": 7}', '" "a": 1}]', 'ons": 1}]']
)
def test_end_9_json_that_is_wrong_at_the_seam(new: str, is_last_try: bool) -> None:
    flags = {"is_last_try": is_last_try, "repeats": False}
    expected = (new, False, False) if new[0] == "o" else ("", True, True)
    for chunks in ([new, "x" * 99], [*new, "x" * 99]):
        released, *rest = read(KEY, chunks, **flags)
        assert (released.removesuffix("x" * 99), *rest) == expected


def test_end_9_json_that_goes_on_is_withheld_for_a_moment() -> None:
    end = EarlyEnd(KEY, repeats=False)
    assert end.feed('ons": 1, "size": ') == ""
    assert end.feed('12000, "name": "') == 'ons": 1, "size": 12000, "name": "'


@pytest.mark.parametrize("is_last_try", [True, False])
def test_end_9_the_last_brackets_of_a_document_come_again(*, is_last_try: bool) -> None:
    before, new = f"{MENU}}}\n  ]\n}}", "  ]\n}\n```\n\nEnjoy."
    flags = {"is_last_try": is_last_try, "repeats": False}
    for chunks in ([new], list(new)):
        assert read(before, chunks, **flags) == ("\n```\n\nEnjoy.", False, True)
    assert read(before, ["]]]\n```"], **flags) == ("", True, True)


@pytest.mark.parametrize(
    "new", ["}\n```", "}\n```\n", "}]\n```\n\nEnd.", "\n```"], ids=repr
)
def test_end_2_a_short_message_without_an_echo_ends_like_one_with_it(new: str) -> None:
    expected = read(MENU, [new])
    assert expected[2], "the fence is left out"
    for chunks in ([new], list(new)):
        assert read(MENU, chunks, repeats=False) == expected


@pytest.mark.parametrize("is_last_try", [True, False])
@pytest.mark.parametrize(
    "new", ["\n\n```sql\nSELECT 1;", "\n```sql", ")\n```sql\nDROP"]
)
def test_end_10_the_block_is_opened_again(new: str, *, is_last_try: bool) -> None:
    begins = new[0] == "\n"
    released, gave_up, left_out = read(SQL, [new], is_last_try=is_last_try)
    assert gave_up
    assert left_out == (begins or not is_last_try)
    assert released == ("" if begins else new if is_last_try else ")\n")
    chunks = read(SQL, list(new), is_last_try=is_last_try)
    assert chunks == (released, gave_up, left_out)


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (SQL, f"{LAST}\n```sql\nSELECT 1;"),  # the block is complete
        (SQL, ")\n```sqlite\nSELECT"),
        ('```python\ndef walk():\n    """Walk.', "\n\n    ```python\n    >>> walk()"),
        (NESTED, "\n```md\n"),
    ],
)
def test_end_10_other_fences_are_code(before: str, new: str) -> None:
    assert read(before, [new]) == read(before, list(new)) == (new, False, False)
