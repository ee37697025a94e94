"""The rules FOLD-1 to FOLD-5."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._core.text.fold import Folder, folded, surplus

PIECES = st.sampled_from(
    [
        *("a", "-", "--", "—", "–", ".", "..", "…", "……", " ", "\n", "é", "e\u0301"),
        *("&", "&amp;", "&amp;lt;", "&#39;", "&#x27;", "&nosuch;", "&nbsp;", ";"),
        *("Ａ", "ｶﾞ", "ガ", "“", "«", "「", "\u3000", "🙂", "각", "ﬁ"),
    ]
)
TEXTS = st.lists(PIECES | st.characters(), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It was – as ever — late", "It was - as ever -- late"),
        ("He waited… and waited", "He waited... and waited"),
        ("他等了……然后", "他等了…然后"),
        ("他等了……然后", "他等了...然后"),
        ("„so“, «so», 「so」 and “so”", "\"so\", 'so', \"so\" and 'so'"),
        ("déjà vu, ｶﾞ", "de\u0301ja\u0300 vu, ガ"),
        ("a < b && c", "a &lt; b &amp;&amp; c"),
        ("it's", "it&#39;s"),
        ("Ａ＆Ｂ（１）！", "A&B(1)!"),
        ("5 − 3", "5 - 3"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ],
)
def test_two_spellings_of_one_text_are_equal(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("cafe", "café"), ("x²", "x2"), ("ﬁ", "fi"), ("a.b", "a...b"), ("&", "&amp")],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(TEXTS, st.data())
def test_fold_1_and_2_chunks_make_no_difference(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=9).map(sorted))
    folder, chars, offsets = Folder(), "", list[int]()
    for start, end in itertools.pairwise([0, *cuts, len(text)]):
        new, more = folder.feed(text[start:end])
        chars, offsets = chars + new, offsets + more
    new, more = folder.feed("", final=True)
    chars, offsets = chars + new, offsets + more
    assert chars == folded(text)
    assert len(offsets) == len(chars)
    assert offsets == sorted(offsets)
    assert all(1 <= at <= len(text) for at in offsets)


@given(st.lists(TEXTS, max_size=5))
def test_fold_3_lines_can_be_folded_one_by_one(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert folded(text) == "".join(map(folded, text.split("\n")))


@pytest.mark.parametrize(
    ("text", "rest", "count"),
    [
        ("late—", "- and", 1),
        ("late--", "- and", 1),
        ("late-", "- and", 0),
        ("late—", "— and", 0),
        ("|--", "--|", 1),
        ("late", "- and", 0),
        ("……", "… and", 1),
        ("……", "... and", 3),
        ("….", "", 0),
        ("", "-", 0),
    ],
)
def test_the_surplus_of_a_run_belongs_to_the_text(
    text: str, rest: str, count: int
) -> None:
    assert surplus(text, rest) == count
