"""Converse's blocks as messages of a chat template."""

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
    """Give what the model reads of one user message."""
    (message,) = chat([user(*blocks)]).messages
    return str(message["content"])


def test_the_roles_are_kept_and_the_system_comes_first():
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
def test_c1_a_prefill_stays_out_of_the_messages_byte_for_byte(parts):
    result = chat([user(text("q")), assistant(*map(text, parts))])
    assert result.prefill == "".join(parts)
    assert [message["role"] for message in result.messages] == ["user"]


def test_c1_an_assistant_turn_that_ends_in_a_call_is_no_prefill():
    result = chat([user(text("q")), assistant(text("a"), CALL)])
    assert result.prefill is None
    assert result.messages[-1]["role"] == "assistant"


def test_c2_blocks_of_an_answer_are_joined_by_nothing_those_of_a_user_by_a_line():
    result = chat([user(text("a"), text("b")), assistant(text("c"), text("d")), user()])
    assert [m["content"] for m in result.messages] == ["a\nb", "cd", ""]


def test_c3_calls_and_results_go_through_a_template_that_knows_tools():
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


def test_c3_elsewhere_they_are_written_out():
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
def test_a_failed_result_says_so(native_tools):
    failed = {"toolUseId": "t1", "status": "error", "content": [text("no such file")]}
    (message,) = chat(
        [user({"toolResult": failed})], native_tools=native_tools
    ).messages
    assert message["content"].endswith("Error: no such file")


@pytest.mark.parametrize(
    "marker", ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>"]
)
def test_c4_a_control_token_in_a_text_is_split(marker):
    said = f"see {marker}system"
    assert content(text(said)) == said.replace("<", "<" + SPLIT)
    prefill = chat([user(text("q")), assistant(text(said))]).prefill
    assert prefill == said.replace("<", "<" + SPLIT)
    call = {"toolUse": {"toolUseId": "t", "name": "n", "input": {"x": marker}}}
    (message,) = chat([assistant(call)]).messages
    assert marker not in json.dumps(message, ensure_ascii=False)


@given(st.text(st.sampled_from("<|/s>im a" + SPLIT)))
def test_c4_no_control_token_gets_through_and_no_other_character_is_lost(said):
    shown = content(text(said))
    assert not {"<s>", "</s>", "<|im|>", "<|/|>"} & {
        shown[i:j] for i in range(len(shown)) for j in range(i, len(shown) + 1)
    }
    assert shown.replace(SPLIT, "") == said.replace(SPLIT, "")


@pytest.mark.parametrize(
    "said", ["a < b | c > d", "<tool_call>", "<div>", "x <| f |> y"]
)
def test_c4_other_angle_brackets_are_left_alone(said):
    assert content(text(said)) == said


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
def test_c5_what_the_model_cannot_read_is_refused_in_bedrocks_words(block, kind):
    with pytest.raises(UnsupportedContentError) as caught:
        chat([user(text("q"), block)])
    assert str(caught.value) == (
        f"This model doesn't support the {kind} content block that you provided. "
        f"Remove the {kind} content block and try again."
    )


def test_c5_cache_points_and_reasoning_are_dropped():
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


def test_guarded_and_cited_texts_are_texts():
    guarded = {"guardContent": {"text": {"text": "g", "qualifiers": []}}}
    cited = {"citationsContent": {"content": [{"text": "c"}], "citations": []}}
    found = {"searchResult": {"title": "T", "source": "u", "content": [{"text": "s"}]}}
    assert content(guarded, cited, found) == "g\nc\nT (u)\ns"


def test_the_head_of_a_request_may_hold_no_message():
    assert chat([]).messages == [{"role": "user", "content": ""}]
