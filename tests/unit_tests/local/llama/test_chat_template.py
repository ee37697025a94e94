"""Converse's blocks as messages of a chat template (TEMPLATE)."""

import base64
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_bedrock_continue.local.backend import Json, Request
from langchain_bedrock_continue.local.llama.chat_template import (
    SPLIT,
    Chat,
    UnsupportedContentError,
    to_chat,
)

TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "add",
                "description": "Adds.",
                "inputSchema": {"json": {"type": "object"}},
            }
        },
        {"cachePoint": {"type": "default"}},
    ]
}
CALL = {"toolUse": {"toolUseId": "t1", "name": "add", "input": {"a": "é"}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"json": {"sum": 3}}]}}


def chat(
    messages: list[Json],
    *,
    native_tools: bool = True,
    system: Sequence[Json] = (),
    tool_config: Json | None = None,
) -> Chat:
    request = Request(
        "m", messages, max_tokens=1, system=list(system), tool_config=tool_config
    )
    return to_chat(request, native_tools=native_tools)


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def text(value: str) -> Json:
    return {"text": value}


def content(*blocks: Json) -> str:
    """Return what the model reads of one user message."""
    (message,) = chat([user(*blocks)]).messages
    return str(message["content"])


def test_roles_are_kept_and_system_comes_first():
    result = chat(
        [user(text("q1")), assistant(text("a1")), user(text("q2"))],
        system=[text("be"), {"cachePoint": {"type": "default"}}, text("kind")],
    )
    assert result.messages == [
        {"role": "system", "content": "be\nkind"},
        {"role": "user", "content": "q1"},
        {"role": "assistant", "content": "a1"},
        {"role": "user", "content": "q2"},
    ]
    assert result.prefill is None


@given(st.lists(st.text(st.characters(exclude_characters="<" + SPLIT))))
def test_a_prefill_is_kept_byte_for_byte_outside_the_messages(parts):
    """TEMPLATE-1."""
    result = chat([user(text("q")), assistant(*map(text, parts))])
    assert result.prefill == "".join(parts)
    assert [message["role"] for message in result.messages] == ["user"]


def test_an_assistant_message_with_a_tool_call_is_not_a_prefill():
    """TEMPLATE-1."""
    result = chat([user(text("q")), assistant(text("a"), CALL)])
    assert result.prefill is None
    assert result.messages[-1]["role"] == "assistant"


def test_assistant_blocks_are_joined_without_a_separator_user_blocks_by_a_line_break():
    """TEMPLATE-2."""
    result = chat([user(text("a"), text("b")), assistant(text("c"), text("d")), user()])
    assert [m["content"] for m in result.messages] == ["a\nb", "cd", ""]


def test_tool_calls_and_results_go_through_a_template_that_supports_tools():
    """TEMPLATE-3."""
    result = chat(
        [user(text("q")), assistant(text("a"), CALL), user(text("now?"), RESULT)],
        tool_config=TOOLS,
    )
    _, call, answer, question = result.messages
    (function,) = [entry["function"] for entry in call["tool_calls"]]
    assert (call["content"], function["name"]) == ("a", "add")
    assert json.loads(function["arguments"]) == {"a": "é"}
    assert answer == {"role": "tool", "content": '{"sum": 3}', "tool_call_id": "t1"}
    assert question == {"role": "user", "content": "now?"}
    (tool,) = result.tools
    assert tool["function"] == {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object"},
    }


def test_tool_calls_and_results_are_text_for_other_templates():
    """TEMPLATE-3."""
    result = chat(
        [user(text("q")), assistant(text("a"), CALL), user(RESULT)],
        native_tools=False,
        tool_config=TOOLS,
    )
    assert result.tools == []
    assert result.messages[1:] == [
        {"role": "assistant", "content": 'a\n{"name": "add", "arguments": {"a": "é"}}'},
        {"role": "user", "content": 'Result:\n{"sum": 3}'},
    ]


@pytest.mark.parametrize("native_tools", [True, False])
def test_a_failed_tool_result_starts_with_error(native_tools):
    failed = {"toolUseId": "t1", "status": "error", "content": [text("no such file")]}
    (message,) = chat(
        [user({"toolResult": failed})], native_tools=native_tools
    ).messages
    assert message["content"].endswith("Error: no such file")


@pytest.mark.parametrize(
    "marker", ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>"]
)
def test_a_control_token_in_a_text_is_split(marker):
    """TEMPLATE-4."""
    value = f"see {marker}system"
    assert content(text(value)) == value.replace("<", "<" + SPLIT)
    prefill = chat([user(text("q")), assistant(text(value))]).prefill
    assert prefill == value.replace("<", "<" + SPLIT)
    call = {"toolUse": {"toolUseId": "t", "name": "n", "input": {"x": marker}}}
    (message,) = chat([assistant(call)]).messages
    assert marker not in json.dumps(message, ensure_ascii=False)


@given(st.text(st.sampled_from("<|/s>im a" + SPLIT)))
def test_no_control_token_remains_and_no_other_character_is_lost(value):
    """TEMPLATE-4."""
    shown = content(text(value))
    assert not {"<s>", "</s>", "<|im|>", "<|/|>"} & {
        shown[i:j] for i in range(len(shown)) for j in range(i, len(shown) + 1)
    }
    assert shown.replace(SPLIT, "") == value.replace(SPLIT, "")


@pytest.mark.parametrize(
    "value", ["a < b | c > d", "<tool_call>", "<div>", "x <| f |> y"]
)
def test_other_angle_brackets_are_unchanged(value):
    """TEMPLATE-4."""
    assert content(text(value)) == value


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ({"image": {"format": "png", "source": {"bytes": ""}}}, "image"),
        ({"video": {}}, "video"),
        ({"audio": {}}, "audio"),
        ({"guardContent": {"image": {}}}, "image"),
        ({"document": {"format": "pdf", "source": {"bytes": "AAAA"}}}, "pdf document"),
        ({"document": {"format": "txt", "source": {"bytes": "/w=="}}}, "txt document"),
        ({"document": {"format": "txt", "source": {"bytes": "?"}}}, "txt document"),
        (
            {
                "document": {
                    "format": "txt",
                    "source": {"s3Location": {"uri": "s3://b"}},
                }
            },
            "txt document",
        ),
        ({"toolResult": {"toolUseId": "t", "content": [{"image": {}}]}}, "image"),
    ],
)
def test_unsupported_content_is_refused_with_bedrocks_text(block, kind):
    """TEMPLATE-5."""
    with pytest.raises(UnsupportedContentError) as caught:
        chat([user(text("q"), block)])
    assert str(caught.value) == (
        f"This model doesn't support the {kind} content block that you provided. "
        f"Remove the {kind} content block and try again."
    )


def test_cache_points_and_reasoning_are_dropped():
    """TEMPLATE-5."""
    point = {"cachePoint": {"type": "default"}}
    thought = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
    result = chat([user(text("q"), point), assistant(thought, text("a")), user()])
    assert [m["content"] for m in result.messages] == ["q", "a", ""]


@pytest.mark.parametrize(
    "source",
    [
        {"text": "# Hé"},
        {"bytes": base64.b64encode("# Hé".encode()).decode()},
        {"bytes": "# Hé".encode()},
        {"content": [{"text": "# "}, {"text": "Hé"}]},
    ],
)
def test_a_document_is_read_as_text(source):
    block = {"document": {"format": "md", "name": "notes", "source": source}}
    assert content(block, text("Sum up.")) == "Document: notes\n# Hé\nSum up."


def test_guarded_cited_and_found_texts_are_text():
    guarded = {"guardContent": {"text": {"text": "g", "qualifiers": []}}}
    cited = {"citationsContent": {"content": [{"text": "c"}], "citations": []}}
    found = {"searchResult": {"title": "T", "source": "u", "content": [{"text": "s"}]}}
    assert content(guarded, cited, found) == "g\nc\nT (u)\ns"


def test_a_prefix_of_a_request_may_have_no_messages():
    assert chat([]).messages == [{"role": "user", "content": ""}]
