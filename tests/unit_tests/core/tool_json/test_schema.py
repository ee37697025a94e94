"""The rules SCHEMA-1 to SCHEMA-4."""

import copy
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_bedrock_continue._core.tool_json.schema import conforms, schema_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


class Row(BaseModel):
    """A row."""

    path: str
    tags: list[str] | None = None


@tool
def row_tool(path: str, tags: list[str] | None = None) -> str:
    """Write a row."""
    return f"{path}{tags}"


PLAIN = {"type": "object", "properties": {"path": {"type": "string"}}}
OPENAI = {"type": "function", "function": {"name": "Row", "parameters": PLAIN}}
ANTHROPIC = {"name": "Row", "description": "A row.", "input_schema": PLAIN}
CONVERSE = {"toolSpec": {"name": "Row", "inputSchema": {"json": PLAIN}}}
SNAKE = {"tool_spec": {"name": "Row", "input_schema": {"json": PLAIN}}}
CACHE_POINT = {"cachePoint": {"type": "default"}}
SYSTEM_TOOL = {"systemTool": {"name": "nova_grounding"}}
OTHERS = (CACHE_POINT, SYSTEM_TOOL, {"type": "bash_20250124", "name": "bash"}, None, 1)


def _bound(model: Any, tools: list[Any]) -> dict[str, Any]:
    tools = copy.deepcopy(tools)  # langchain-aws changes them if a system tool is there
    return dict(model.bind_tools(tools).kwargs)


def _converse(model: str) -> ChatBedrockConverse:
    return ChatBedrockConverse(
        model=model, client=object(), bedrock_client=object(), region_name="us-east-1"
    )


@pytest.mark.parametrize(
    "given_tool", [Row, OPENAI, ANTHROPIC, CONVERSE, {"title": "Row", **PLAIN}]
)
def test_schema_1_the_schema_that_bind_tools_returns(given_tool: Any) -> None:
    claude = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    converse = _converse(claude)
    invoke = ChatBedrock(
        model=claude, client=object(), bedrock_client=object(), region="us-east-1"
    )
    nova = _converse("amazon.nova-pro-v1:0")
    for kwargs in (
        _bound(converse, [CACHE_POINT, given_tool, row_tool]),
        _bound(nova, [given_tool, "nova_grounding", row_tool]),
        _bound(invoke, [given_tool, row_tool]),
    ):
        schema = schema_of(kwargs, "Row")
        assert conforms({"path": "a"}, schema)
        assert not conforms({"path": 1}, schema)
        assert conforms({"path": "a"}, schema_of(kwargs, "row_tool"))
        assert not conforms({"tags": []}, schema_of(kwargs, "row_tool"))
        assert schema_of(kwargs, "other") is None


@pytest.mark.parametrize("given_tool", [OPENAI, ANTHROPIC, CONVERSE, SNAKE])
@pytest.mark.parametrize("key", ["tools", "toolConfig", "tool_config"])
def test_schema_1_the_schema_that_a_caller_writes(given_tool: Any, key: str) -> None:
    tools = [*OTHERS, given_tool]
    kwargs = {key: tools if key == "tools" else {"tools": tools}}
    before = copy.deepcopy(kwargs)
    assert schema_of(kwargs, "Row") == PLAIN
    assert kwargs == before


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"tools": None},
        {"tools": "Row"},
        {"tools": 1},
        {"toolConfig": [CONVERSE]},
        {"tools": [{"name": "Row"}, {"name": ["Row"]}, {"toolSpec": "Row"}]},
        {"tools": [{"name": "Row", "parameters": "x"}]},
        {"tools": [{"toolSpec": {"name": "Row", "inputSchema": {}}}, {}, object()]},
        {"tools": [{"type": 1}, {"toolSpec": None}, len, str, lambda: None]},
    ],
)
def test_schema_2_an_unknown_form_has_no_schema(kwargs: dict[str, Any]) -> None:
    assert schema_of(kwargs, "Row") is None


@given(st.lists(VALUES | st.dictionaries(st.sampled_from(["name", "type"]), VALUES)))
def test_schema_4_no_tool_raises(tools: list[Any]) -> None:
    assert schema_of({"tools": tools, "toolConfig": {"tools": tools}}, "Row") is None


@pytest.mark.parametrize(
    "schema",
    [
        None,
        True,
        [],
        {"type": "str"},
        {"properties": {"not given": {"type": "str"}}},
        {"properties": 1},
        {"$ref": "#/$defs/missing"},
        {"$ref": "#"},
        {"$ref": 1},
        {"properties": {"a": {"pattern": "\\p{L}+("}}},
        {"$schema": ["x"]},
        {"properties": {"a": {"$ref": "https://example.com/a.json"}}},
    ],
)
def test_schema_2_nothing_conforms_to_what_cannot_be_checked(schema: Any) -> None:
    assert not conforms({"a": "x"}, schema)


@given(st.dictionaries(st.sampled_from(["type", "$ref", "items", "anyOf"]), VALUES))
def test_schema_4_no_schema_raises(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    conforms({"a": "x"}, schema)
    assert schema == before


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """Serve a schema to which every value conforms, and record its requests."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/any.json", paths
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("key", ["$ref", "$dynamicRef", "$schema"])
def test_schema_3_no_schema_is_fetched(asked: tuple[str, list[str]], key: str) -> None:
    url, paths = asked
    conforms({"a": 1}, {key: url, "properties": {"a": {"$ref": url}}})
    assert not conforms({"a": 1}, {"properties": {"a": {key: url, "$ref": url}}})
    assert paths == []


def test_schema_3_no_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "any.json"
    file.write_text("{}")
    assert not conforms({"a": 1}, {"$ref": file.as_uri()})
