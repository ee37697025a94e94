"""Texts that repeat themselves: by a model's mistake, and at a user's request."""

from __future__ import annotations

import base64
import random

ALPHABETS = {
    "English": ["the", "model", "wrote", "of", "rivers", "and", "quiet", "towns"],
    "Japanese": ["日本", "の", "四季", "は", "春", "夏", "と", "変わり", "、", "。"],
    "code": ["self.", "history", "(", ")", "\n    ", "return ", "value", " = ", "[0]"],
    "numbers": ["0", "1", ", ", ".5", "\n"],
}

LEAD_INS = {
    "none": "",
    "sentence": "Here is what you asked for. Let me think about it first.\n\n",
    "page": "".join(
        f"Paragraph {n} says one thing, {n * n} another.\n" for n in range(60)
    ),
}


def unit(kind: str, size: int, seed: int) -> str:
    """Return a pseudo-random period of so many characters."""
    rng = random.Random(f"{kind} {size} {seed}")  # noqa: S311 - reproducible, not secret
    glue = " " if kind == "English" else ""
    drawn = ""
    while len(drawn) < size:
        drawn += rng.choice(ALPHABETS[kind]) + glue
    return drawn[:size]


def looped(period: str, lead_in: str, characters: int) -> str:
    """Return a lead-in, followed by so many characters of a loop."""
    return lead_in + (period * (characters // len(period) + 1))[:characters]


def asked_for() -> list[tuple[str, str]]:
    """Return complete answers that repeat something because the user asked for it."""
    row = '{"id": null, "name": "", "tags": [], "active": false}'
    return list(
        {
            "100 lines of a punishment": "I will not talk in class.\n" * 100,
            "100 longer lines": "I will not throw paper aeroplanes in class.\n" * 100,
            "a refrain, 12 times": "Row, row, row your boat, gently down.\n" * 12,
            "a Japanese refrain, 12 times": "春が来た、春が来た、どこに来た。\n" * 12,
            "'ha ' 300 times": "ha " * 300,
            "lorem ipsum, 3 paragraphs": f"{unit('English', 600, 0)}\n\n" * 3,
            "32 x 32 zeros": grid("0", 32),
            "64 x 64 zeros": grid("0", 64),
            "100 x 100 zeros": grid("0", 100),
            "1,000 x False": "[" + "False, " * 1000 + "]",
            "CSV, 1,000 rows of zeros": "a,b,c\n" + "0,0,0\n" * 1000,
            "CSV, 1,000 dated rows of zeros": "".join(
                f"2024-{n // 28 % 12 + 1:02}-{n % 28 + 1:02},0,0\n" for n in range(1000)
            ),
            "16 KB of zero bytes, hex dump": "".join(
                f"{at:08x}: {'0000 ' * 8} ................\n"
                for at in range(0, 16384, 16)
            ),
            "8 KB of zero bytes, base64": base64.b64encode(bytes(8192)).decode(),
            "2 KB of zero bytes, C array": "0x00, " * 2048,
            "rules of 80 dashes, 40": f"{'-' * 80}\n" * 40,
            "table head, 60 columns": "|" + "---|" * 60,
            "an indent of 400 blanks": "{" + " " * 400 + "}",
            "30 blank JSON records": f"[{', '.join([row] * 30)}]",
            "100 blank JSON records": f"[{', '.join([row] * 100)}]",
            "400 numbered JSON records": ",\n".join(
                f'{{"id": {n}, "name": "item", "price": 0}}' for n in range(400)
            ),
            "400 numbered commands": "".join(
                f"put --table users --id {n} --name 'user'\n" for n in range(400)
            ),
            "a numbered list of 400": "".join(f"{n}. To do\n" for n in range(400)),
            "40 empty table rows": "| name | price | stock |\n|---|---|---|\n"
            + "|      |       |       |\n" * 40,
            "60 unit tests, numbered": "".join(
                f"def test_case_{n}() -> None:\n    assert run({n}) == expected\n\n"
                for n in range(60)
            ),
        }.items()
    )


def grid(value: str, size: int) -> str:
    """Return a square matrix of one value."""
    return f"[{value}{f', {value}' * (size - 1)}],\n" * size
