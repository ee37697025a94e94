"""The constraints that tool choice and output format put on the answer."""

import pytest

from langchain_bedrock_continue.local.backend import Json
from langchain_bedrock_continue.local.llama.tool_choice import (
    answer_schema,
    forced_name,
    tool_names,
)


def spec(name: str, schema: Json) -> Json:
    return {"toolSpec": {"name": name, "inputSchema": {"json": schema}}}


POINT = {"cachePoint": {"type": "default"}}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
CONFIG = {"tools": [spec("a", CITY), POINT, spec("b", {"type": "object"})]}


def test_tool_names():
    assert tool_names(CONFIG) == ("a", "b")
    assert tool_names(None) == ()


@pytest.mark.parametrize("choice", [None, {"auto": {}}, {"tool": {"name": "no"}}])
def test_a_free_choice_forces_nothing(choice):
    config = {**CONFIG, "toolChoice": choice}
    assert answer_schema(config, None) is None
    assert forced_name(config) is None


def test_a_forced_tool_gives_a_schema():
    config = {**CONFIG, "toolChoice": {"tool": {"name": "a"}}}
    schema = answer_schema(config, None)
    assert forced_name(config) == "a"
    assert schema["properties"]["name"] == {"const": "a"}
    assert schema["properties"]["arguments"] == {**CITY, "additionalProperties": False}


def test_any_tool_gives_a_choice_of_schemas():
    config = {**CONFIG, "toolChoice": {"any": {}}}
    schema = answer_schema(config, None)
    assert forced_name(config) is None
    names = [branch["properties"]["name"]["const"] for branch in schema["anyOf"]]
    assert names == ["a", "b"]


def test_definitions_move_to_the_root_of_the_schema():
    inner = {"type": "object", "properties": {"x": {"$ref": "#/$defs/X"}}}
    tool = spec("a", {**inner, "$defs": {"X": {"type": "string"}}})
    schema = answer_schema({"tools": [tool], "toolChoice": {"any": {}}}, None)
    assert schema["$defs"] == {"X": {"type": "string"}}
    assert "$defs" not in schema["properties"]["arguments"]


def test_an_output_format_gives_its_schema():
    structure = {"jsonSchema": {"schema": '{"type": "object"}'}}
    config = {"textFormat": {"type": "json_schema", "structure": structure}}
    assert answer_schema(CONFIG, config) == {"type": "object"}
    assert answer_schema(None, {"effort": "low"}) is None


def test_an_output_format_that_is_not_valid_json_is_an_error():
    config = {"textFormat": {"structure": {"jsonSchema": {"schema": "{"}}}}
    with pytest.raises(
        ValueError, match=r"outputConfig\.textFormat.*is not valid JSON"
    ):
        answer_schema(None, config)
