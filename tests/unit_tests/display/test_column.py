"""Where the cursor is, from what is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue._display.column import Column


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 0),
        ("ab", 2),
        ("ab\ncde", 3),
        ("ab\r", 0),
        ("ab\b", 1),
        ("a\tb", 9),
        ("0123456789", 10),
        ("0123456789a", 1),
        ("012345678日", 2),
        ("日本語日本", 10),
        ("e\u0301", 1),
        ("\x1b[1;31mab\x1b[0m", 2),
        ("\x1b]8;;http://x\x1b\\ab\x1b]8;;\x1b\\", 2),
    ],
)
def test_the_column_after_a_text(text: str, column: int) -> None:
    cursor = Column()
    cursor.write(text, 10)
    assert cursor.at == column
    assert cursor.is_at_edge(10) == (column == 10)


@given(st.lists(st.text(st.sampled_from("ab日\n\t\r "), max_size=9)))
def test_the_pieces_of_a_text_do_not_matter(pieces: list[str]) -> None:
    one, other = Column(), Column()
    for piece in pieces:
        one.write(piece, 10)
    other.write("".join(pieces), 10)
    assert one.at == other.at <= 10
