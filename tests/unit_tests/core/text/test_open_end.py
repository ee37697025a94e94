"""The rules OPEN-1 to OPEN-6."""

import json

import pytest

from langchain_bedrock_continue._core.text.open_end import is_plainly_open
from tests.seams.texts import open_fence, texts

TEXTS = texts()
TABLE = "| name | size |\n|---|---|\n| ant | small |\n"
LONG = (
    "The lighthouse was built of grey stone in the year of the great storm.\n\n"
    "Its keeper counted the ships, and wrote them down in a book of her own.\n\n"
)

OPEN = {
    "fence": "Here it is:\n\n```python\ndef f():\n    return 1\n",
    "fence with an indentation": "1. First:\n\n   ```sh\n   ls -l",
    "fence of tildes": "~~~\nx = 1",
    "fence in a fence": "````md\n```\nx\n```\n",
    "JSON object": '{"name": "ant", "legs": 6',
    "JSON array": '[{"name": "ant"}, {"name": "bee"}',
    "JSON string": '{"name": "an',
    "JSON key": '{"name": "ant", "le',
    "JSON after a colon": '{"name":',
    "JSON word": '{"a": tru',
    "JSON number": '{"a": 1.',
    "JSON exponent": '{"a": 1.5e',
    "JSON sign": '{"a": -',
    "JSON escape": '{"a": "b\\',
    "JSON escaped character": '{"a": "b\\u00e',
    "HTML page": "<!DOCTYPE html>\n<html>\n<body>\n<p>Hello.</p>\n",
    "HTML page, lower case": "<html lang='en'><head><title>A</title></head>",
    "tag": "<ul>\n  <li>One</li>\n  <li cla",
    "closing tag": "<ul>\n  <li>One</li>\n</u",
    "row": TABLE + "| bee | sm",
    "row without its last cell": TABLE + "| bee |",
    "comma": "We need flour, sugar,",
    "Japanese comma": "猫は、",
    "Chinese comma": "我们需要面粉，",
    "opening bracket": "call(",
    "Japanese quotation": "彼は「",
    "assignment": "x =",
    "bracket before a word": "The first one (a gift of my aunt",
    "sentence": LONG + "On the last night of October the wind turned to the north and",
    "sentence after another": (
        "On the last night of October the wind turned. The keeper went up to the"
    ),
}

COMPLETE = {
    "sentence": "That is all.",
    "sentence in quotation marks": "He said, “That is all.”",
    "letter": "Dear Anna,\n\nThank you for the book.\n\nKind regards,\nTom",
    "letter of long paragraphs": LONG + "With kind regards from the lighthouse,\nMary",
    "poem": "Roses are red,\nviolets are blue,\nsugar is sweet\nand so are you",
    "list": "- flour\n- sugar\n- butter",
    "numbered list": "1. Boil the water\n2. Add the tea\n3. Wait",
    "numbered list of long items": (
        "1. Boil the water in the large kettle until it begins to sing loudly\n"
        "2. Add the tea, stir it, and wait for as long as it takes to read this"
    ),
    "smiley": "Have fun :)",
    "smiley with a nose": "See you tomorrow ;-)",
    "emoji": "Have fun! 🎉",
    "code block": "Here it is:\n\n```python\nx = 1\n```",
    "two code blocks": "```\na\n```\n\nand\n\n```\nb\n```\n",
    "code without a fence": "def f():\n    return 1\n",
    "JSON": json.dumps({"name": "ant", "legs": [1, 2]}),
    "JSON with a line break": '{"a": 1}\n',
    "JSON and a remark": '{"a": 1}\n\nThat is the object.',
    "what only looks like JSON": "[1] Smith, J. (2001). Ants.",
    "a link at the start": "[Ants](https://ants.example) are small.",
    "HTML": "<!DOCTYPE html>\n<html>\n<body></body>\n</html>\n",
    "HTML fragment": "<ul>\n  <li>One</li>\n</ul>",
    "table": TABLE,
    "table and a sentence": TABLE + "\nThat is all.",
    "URL": "You find it at https://example.org/a/long/path?with=a&query=string#part",
    "heading": "# Ants",
    "number": "42",
    "word": "Yes",
    "comparison": "It holds where a < b",
    "arrow": "This way ->",
    "a) b)": "Choose one:\na) tea\nb) coffee",
    "Japanese": "吾輩は猫である。名前はまだ無い。",
    "Japanese without a full stop": "名前はまだ無い",
    "Chinese": "我们明天见！",
    "German quotation marks": "Er sagte: „Das ist alles.“",
    "title": "The Old Man and the Sea",
    "key and value": "Name: Ant\nLegs: 6\nHome: under the old oak at the end of lane 3",
    "empty": "",
}


@pytest.mark.parametrize("name", OPEN)
def test_a_text_that_plainly_is_not_complete(name: str) -> None:
    assert is_plainly_open(OPEN[name])
    assert is_plainly_open(OPEN[name] + "\n")


@pytest.mark.parametrize("name", COMPLETE)
def test_a_text_that_may_be_complete(name: str) -> None:
    assert not is_plainly_open(COMPLETE[name])
    assert not is_plainly_open(COMPLETE[name] + "\n\n")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_no_complete_text_is_open(text: object) -> None:
    assert not is_plainly_open(text.full)  # type: ignore[attr-defined]


def test_open_1_each_cut_inside_a_fence_is_open() -> None:
    cuts = 0
    for text in TEXTS:
        for cut in range(0, len(text.full), 7):
            if open_fence(text.full[:cut]) is not None:
                before = text.full[:cut].rstrip()
                closes = before.endswith("```") and not open_fence(before + "\n")
                cuts += 1
                assert is_plainly_open(before) or closes, (text.name, cut)
    assert cuts > 20


def test_open_1_each_cut_of_a_json_document_is_open() -> None:
    for text in TEXTS:
        if text.kind == "json":
            for cut in range(1, len(text.full.rstrip())):
                assert is_plainly_open(text.full[:cut]), (text.name, cut)


@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000])
def test_open_1_a_deeply_nested_document_is_no_error(nested: str) -> None:
    is_plainly_open(nested)


@pytest.mark.parametrize("unit", ["word ", "a\n", "| a | b |\n", "<a ", "(a ", '"'])
def test_a_long_text_takes_bounded_time(unit: str) -> None:
    is_plainly_open(unit * (1_000_000 // len(unit)))


ITEMS = [f"{n}. **Item {n}**: about it." for n in range(1, 11)]


@pytest.mark.parametrize(
    "line",
    [
        "Here are ten inventions:",
        "Sure! Here are the top 10 books of the year:",
        "**The following ten steps help:**",
    ],
)
@pytest.mark.parametrize("blank", ["\n", "\n\n"])
def test_open_6_a_list_without_the_items_that_are_announced(
    line: str, blank: str
) -> None:
    for count in range(1, 11):
        text = f"{line}\n\n{blank.join(ITEMS[:count])}"
        assert is_plainly_open(text) == (count < 10)
        assert not is_plainly_open(f"{text}\n\nAnd so on.")


@pytest.mark.parametrize(
    "line",
    [
        "Inventions:",
        "Here are some inventions. The first ten years were hard:",
        "It takes ten minutes:",
        "Here are 5 of the 10 inventions:",
        "Here are 10% of them:",
        "Here are ten inventions.",
    ],
)
def test_open_6_other_numbers_announce_nothing(line: str) -> None:
    assert not is_plainly_open(f"{line}\n\n{ITEMS[0]}\n{ITEMS[1]}")
