"""Well-formed answers, and the same ones cut: by kind."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_bedrock_continue._check.well_formed import KINDS, Kind, well_formed

WHOLE: dict[Kind, list[str]] = {
    "prose": [
        "Leaves turn red. Then they fall.",
        'He said, "Go!"',
        "Bread is **good.**",
        "Warm regards, and see you soon! 😊",
    ],
    "python": [
        "def f(x):\n    return x\n",
        "Here it is:\n\n```python\nclass A:\n    pass\n```\n\nIt does nothing",
    ],
    "json": [
        '[{"a": 1}, {"b": []}]',
        'Sure:\n```json\n{"a": "x"}\n```\nThat is all',
        'The answer is {"a": {"b": 2}} as asked.',
    ],
    "table": [
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "A table:\n\n| a | b |\n|---|---|\n| 1 \\| 2 | 2 |\n\nAnother:\n\n| c |\n|--|",
    ],
    "list": [
        "1. One\n2. Two\n3. Three",
        "Steps:\n\n1. One\n   1. a\n   2. b\n2. Two (with c).\n\nDone.",
        "**1. One**\n\ntext\n\n**2. Two**",
    ],
    "sql": [
        "SELECT 1;\nSELECT '(';",
        "```sql\nCREATE TABLE a (b INT, c VARCHAR(9)); -- (\n```",
    ],
    "html": [
        "<!DOCTYPE html>\n<html><body><br><p>A &amp; B<p>C</body></html>",
        '```html\n<ul><li>a<li>b</ul><input name="x">\n```\nIt has a list.',
    ],
    "japanese": ["富士山は高い。美しい！", "「行きましょう。」"],
}

BROKEN: dict[Kind, list[tuple[str, str]]] = {
    "prose": [("Leaves turn red. Then they", "sentence"), ("It has a, b,", "sentence")],
    "python": [
        ("def f(x):\n    return (", "compile"),
        ("```python\nclass A:\n    pass\n", "fence"),
        ("```python\ndef f():\n```\n```python\nx = 1\n```", "compile"),
    ],
    "json": [
        ('[{"a": 1}, {"b"', "parse"),
        ('```json\n{"a": "x"}\n', "fence"),
        ('{"a": 1}{"a": 1}', "parse"),
        ("no object at all", "parse"),
    ],
    "table": [
        ("| a | b |\n|---|---|\n| 1 |", "columns"),
        ("| a | b |\n|---|---|\n| 1 | 2", "row"),
        ("There is none.", "no table"),
    ],
    "list": [
        ("1. One\n2. Two\n1. One", "at 1"),
        ("1. One\n3. Three", "at 3"),
        ("1. One\n2.", "empty"),
        ("1. One\n2. Two (with", "bracket"),
        ("None.", "no numbered list"),
    ],
    "sql": [
        ("SELECT 1;\nSELECT 2", "statement"),
        ("SELECT 'a;", "statement"),
        ("SELECT (1;", "bracket"),
    ],
    "html": [
        ("<p>a</p><div>", "<div>"),
        ("<div>a</div></div>", "</div>"),
        ("<div>a</div><di", "cut"),
    ],
    "japanese": [("富士山は高い。美し", "sentence")],
}


def each(table: dict[Kind, list[Any]]) -> list[tuple[Kind, Any]]:
    return [(kind, case) for kind, cases in table.items() for case in cases]


@pytest.mark.parametrize(("kind", "text"), each(WHOLE))
def test_a_whole_answer_is_well_formed(kind: Kind, text: str) -> None:
    form = well_formed(kind, text)
    assert form.reason == ""
    assert form


@pytest.mark.parametrize(("kind", "case"), each(BROKEN))
def test_a_broken_answer_is_not_and_the_reason_says_why(
    kind: Kind, case: tuple[str, str]
) -> None:
    text, why = case
    form = well_formed(kind, text)
    assert why in form.reason
    assert not form


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_answer_is_not_well_formed(kind: Kind, text: str) -> None:
    assert well_formed(kind, text).reason == "empty"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_whole_and_broken_answers(kind: Kind) -> None:
    assert WHOLE[kind]
    assert BROKEN[kind]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(VALUES, min_size=1) | st.dictionaries(st.text(), VALUES, min_size=1))
def test_json_is_well_formed_whole_and_never_when_cut(value: object) -> None:
    text = json.dumps(value)
    fenced = f"```json\n{json.dumps(value, indent=1)}\n```"
    assert well_formed("json", text)
    assert well_formed("json", fenced)
    for at in range(1, len(text)):
        assert not well_formed("json", text[:at])
    for at in range(4, len(fenced) - 2):
        assert not well_formed("json", fenced[:at])


CELL = st.text("ab c1-`é", min_size=1)


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(
            st.lists(CELL, min_size=n, max_size=n), min_size=2, max_size=5
        )
    )
)
def test_a_table_is_well_formed_until_a_row_has_more_or_fewer_cells(
    rows: list[list[str]],
) -> None:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    assert well_formed("table", "\n".join(lines))
    assert not well_formed("table", "\n".join([*lines, f"{lines[0]} more |"]))
    assert not well_formed("table", "\n".join(lines)[:-1])


@given(st.integers(2, 40), st.integers(0, 40))
def test_list_numbers_run_on_by_one(count: int, again: int) -> None:
    lines = [f"{n}. item" for n in range(1, count + 1)]
    assert well_formed("list", "\n".join(lines))
    assert bool(well_formed("list", "\n".join([*lines, f"{again}. item"]))) == (
        again == count + 1
    )


@given(
    st.sampled_from(KINDS),
    st.text(
        alphabet=st.characters()
        | st.sampled_from(list("`|<>{}[]()'\"\n\t \\;.-*0123456789"))
    ),
)
@example("python", "```\n" + "(" * 5000 + "\n```")
@example("json", "[" * 100_000)
@example("python", "\x00")
@example("html", "<![x")
@example("sql", "\x00;")
@example("sql", "\ud800")
@example("python", "\ud800")
def test_no_text_makes_it_fail(kind: Kind, text: str) -> None:
    """FIGURES-4."""
    form = well_formed(kind, text)
    assert bool(form) == (form.reason == "")
