"""Which code plainly isn't complete."""

import pytest

from langchain_bedrock_continue._core.text.open_code import is_open_code
from tests.seams.texts import texts

COMPLETE = {
    "json": '{"name": "ant", "legs": [1, 2, {"left": null}]}',
    "python": (
        'class Ant:\n    """It has (six legs."""\n\n    def walk(self, to):\n'
        '        # (uphill :)\n        return f"{to}("\n\n\nprint(Ant().walk("["))\n'
    ),
    "sql": (
        "CREATE TABLE ants (id INT, name TEXT); -- (sic\n"
        "INSERT INTO ants (id, name) VALUES (1, 'O''Ant (queen');\n"
        "SELECT name FROM ants WHERE id IN (1, 2);"
    ),
    "html": (
        "<!DOCTYPE html>\n<html>\n<head><title>Ants < bees</title></head>\n<body>\n"
        "<p>One\n<p>Two<br>\n<ul><li>a<li>b</ul>\n</body>\n</html>"
    ),
    "javascript": (
        "// it's (a comment\nconst ant = {legs: [1, 2], name: `a ${'{'} b`};\n"
        "function walk(to) {\n  return ')' + to;\n}\n"
    ),
    "rust": "fn walk<'a>(to: &'a str) -> &'a str {\n    to\n}\n",
}

ENDS = {
    "json": ('{"name": "ant", "legs": [1, 2', '{"name": "ant"', '{"name": "an'),
    "python": ("def walk(to):", "print(walk(", 'x = """a', 'print("a', "@wraps(f)"),
    "sql": (
        "CREATE TABLE ants (id INT,",
        "INSERT INTO ants (id, name)",
        "INSERT INTO ants VALUES (1, 'a",
        "SELECT name FROM",
        "SELECT 1; SELECT 2; SELECT name",
    ),
    "html": ("<html><body><p>a</p>", "<ul><li>a</li>", "<p>a</p><a href=", "<form>"),
    "javascript": ("function walk(to) {\n  return to;", "const ants = [1, 2,"),
}


@pytest.mark.parametrize("language", COMPLETE)
def test_complete_code_is_not_open(language: str) -> None:
    assert not is_open_code(language, COMPLETE[language])
    assert not is_open_code(language.upper(), COMPLETE[language] + "\n\n")


@pytest.mark.parametrize(
    ("language", "code"),
    [(name, code) for name, codes in ENDS.items() for code in codes],
)
def test_code_that_lacks_its_end_is_open(language: str, code: str) -> None:
    assert is_open_code(language, code)
    assert is_open_code(language, code + "\n")


@pytest.mark.parametrize("language", ["json", "sql", "html"])
def test_the_language_is_seen_without_a_fence(language: str) -> None:
    assert not is_open_code("", COMPLETE[language])
    open_code = COMPLETE[language][: len(COMPLETE[language]) // 2]
    assert is_open_code("", open_code)


@pytest.mark.parametrize("language", ["text", "yaml", "sh", ""])
def test_what_has_no_rule_is_never_open(language: str) -> None:
    assert not is_open_code(language, "a (b [c {d\n")


def test_code_that_no_rule_understands_is_not_open() -> None:
    assert not is_open_code("javascript", "const smile = ) + {")
    assert not is_open_code("python", "for (int i = 0; i < 3; i++) { print(i); }")
    assert not is_open_code("json", '{"a": 1} and {"b"')


@pytest.mark.parametrize("language", ["json", "python", "sql", "html", "javascript"])
@pytest.mark.parametrize(
    "unit", ["(", "[", '{"a":', "<div>", "<!", "'", '"', "9", "\0"]
)
def test_no_text_is_an_error(language: str, unit: str) -> None:
    is_open_code(language, unit)
    is_open_code(language, unit * 10_000)


@pytest.mark.parametrize("text", texts(), ids=lambda text: text.name)
def test_no_complete_text_is_open(text: object) -> None:
    assert not is_open_code("", text.full)  # type: ignore[attr-defined]
