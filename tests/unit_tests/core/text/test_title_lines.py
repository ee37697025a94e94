"""A first line that is a title: repeated at the end of a line, it is a restart."""

import pytest

from langchain_bedrock_continue._core.text.earlier_text import EarlierText
from langchain_bedrock_continue._core.text.restart import (
    Restart,
    RestartCheck,
)

DIALOGUE = "MARIA:\nIt rains.\n\nJONAS:\nIt does not.\n\n"


def restart_of(text: str, new: str) -> Restart | None:
    """Return how new text begins a text again, read whole and by character."""
    found = []
    for size in (len(new), 1):
        check = RestartCheck(EarlierText(text), proven=True)
        shown = [check.feed(new[at : at + size]) for at in range(0, len(new), size)]
        shown.append(check.finish(truncated=False))
        assert "".join(filter(None, shown)) == ("" if check.restart else new)
        found.append(check.restart)
    assert found[0] is found[1]
    return found[0]


@pytest.mark.parametrize("title", ["# Sleep\n\n", "Sleep well:\n\n", "ANNABEL:\n"])
def test_a_title_that_is_written_again_is_a_restart(title: str) -> None:
    text = title + "A text about it, and then more of it.\n"
    assert restart_of(text, title + "Other words follow.") is Restart.FIRST_LINE


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (DIALOGUE + "MARIA:\nWait.\n\n", "MARIA:\nNow it does.\n"),
        ("Option A:\n- x\n\nOption A:\n- y\n\n", "Option A:\n- z\n"),
        ("def f(x):\n  a\ndef f(x):\n  b\n", "def f(x):\n  c\n"),
        ("## Day\nWe ate.\n\n## Day\nWe slept.\n\n", "## Day\nWe sang.\n"),
    ],
)
def test_a_line_that_the_text_has_twice_is_no_title(text: str, new: str) -> None:
    assert restart_of(text, new) is None
