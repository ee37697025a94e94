"""A real model's truncated call has the arguments of its complete one.

This is the quick part, with a model that calls a tool only where it is forced to. The
complete measure is `python -m tests.benchmarks.real_tools`.
"""

import pytest

from langchain_bedrock_continue.local import LocalBedrock
from tests.benchmarks.real_tools import compared, continuing, converse, structured
from tests.benchmarks.tool_prompts import NUMBER, TEXT, ToolPrompt

pytestmark = pytest.mark.model

CITY = ToolPrompt(
    "save_city",
    "Save a city.",
    {"name": TEXT, "country": TEXT, "founded": NUMBER},
    "Save the city of Paris.",
)


def test_a_truncated_object_equals_the_complete_one(real_model: LocalBedrock) -> None:
    method = "function_calling"
    uncut = structured(converse(real_model, 100), CITY, method)
    assert uncut.args is not None
    assert 12 < uncut.output_tokens < 100
    given = structured(continuing(real_model, 12), CITY, method)
    result = compared("retry", CITY, 12, given, uncut)
    assert result.outcome == "exact"
    assert result.calls > 1
    plain = structured(converse(real_model, 12), CITY, method)
    assert compared("none", CITY, 12, plain, uncut).outcome == "other"
