"""Texts for a model to say: long ones, and ones that are hard to truncate and join."""

LONG = "The quick brown fox jumps over the lazy dog and runs away.\n\n- one\n- two\n"
"""Some twenty tokens, with blanks of several kinds."""

TEXTS = {
    "prose": "It was late, and all lay still. " * 5 + "\n\nThen -- a bell.\n",
    "code": "def f(x):\n    if x:\n        return {\n            'k': [],\n        }\n",
    "json": '{\n  "a": [\n    {"b": 1.5e-3},\n    {"b": "x\\ny"}\n  ]\n}\n',
    "table": "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n- x\n- y\n",
    "japanese": "吾輩は猫である。名前はまだ無い。\n\nどこで生れたか知らぬ。\n",
    "repetition": "ha ha ha ha ha! " * 8 + "\nha ha!\n",
    "emoji": "A👩\u200d👩\u200d👧 family, e\u0301te\u0301, 🇯🇵 and 👍🏽.\n" * 3,
}
"""A text of each kind whose seams are hard in a way of their own."""
