"""The rules THINK-1 to THINK-4, compared with langchain-aws's own split."""

import copy
import itertools
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_aws import ChatBedrockConverse
from langchain_aws.chat_models import bedrock_converse
from pydantic import SecretStr

from langchain_bedrock_continue._core.content.inline_thinking import (
    ThinkingAwareJoin,
    seams_after_split,
    split,
)
from langchain_bedrock_continue._core.policy import InlineThinking
from langchain_bedrock_continue._core.text.echo_join import EchoJoin
from tests.support.contents import text_block

TAGS = ("<thinking>", "</thinking>")
INLINE = InlineThinking(TAGS, bedrock_converse._split_inline_reasoning)
WORDS = st.sampled_from(
    [
        *TAGS,
        "<thinking>a</thinking>",
        "<thinking",
        "thinking>",
        "</",
        "a",
        "b c",
        " ",
        "\n",
        "日本",
        ".",
    ]
)
TEXTS = st.lists(WORDS, max_size=14).map("".join)
CALL = {"type": "tool_use", "name": "f", "input": {}, "id": "1"}
CITED = {"type": "text", "text": "cited", "citations": [{"title": "t"}]}


def nova(model: str = "us.amazon.nova-pro-v1:0", **kwargs: Any) -> ChatBedrockConverse:
    return ChatBedrockConverse(
        model=model,
        region_name="us-west-2",
        aws_access_key_id=SecretStr("test"),
        aws_secret_access_key=SecretStr("test"),
        **kwargs,
    )


NOVA = nova()


def parsed(content: list[dict[str, Any]], llm: ChatBedrockConverse) -> Any:
    """Return the content that ChatBedrockConverse makes of a response."""
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    message = {"role": "assistant", "content": content}
    return bedrock_converse._parse_response(
        {"output": {"message": message}, "stopReason": "end_turn", "usage": usage},
        inline_reasoning_tags=llm._inline_reasoning_tags_for_model(),
    ).content


@given(TEXTS)
def test_think_1_a_text_is_split_as_langchain_aws_splits_it(text: str) -> None:
    response = [{"text": text}]
    assert split(text, INLINE) == parsed(response, NOVA)


@given(TEXTS, TEXTS)
def test_think_1_blocks_are_split_as_langchain_aws_splits_them(
    first: str, second: str
) -> None:
    use = {"toolUseId": "1", "name": "f", "input": {}}
    response: Any = [{"text": first}, {"text": second}, {"toolUse": use}]
    blocks: Any = [text_block(text) for text in (first, second)]
    before = copy.deepcopy(blocks)
    assert split([*blocks, CALL], INLINE) == parsed(response, NOVA)
    assert blocks == before


def test_think_1_nothing_is_split_without_tags() -> None:
    assert split("<thinking>a</thinking>b", None) == "<thinking>a</thinking>b"
    assert seams_after_split("<thinking>a</thinking>b", [7], None) == [7]


@pytest.mark.parametrize(
    "content",
    ["", "no tag", "<thinking>open", "shut</thinking>", [CALL], [CITED, CALL]],
)
def test_think_2_content_without_a_complete_pair_of_tags_is_not_changed(
    content: Any,
) -> None:
    assert split(content, INLINE) == content


@given(TEXTS, TEXTS)
@example("<thinking>a</thinking> <thinking>a</thinking>\n", "b")
def test_a_seam_keeps_its_place_in_the_text_that_a_split_leaves(
    first: str, second: str
) -> None:
    content: Any = [text_block(text) for text in (first, second)]
    seams = list(range(len(first + second) + 1))
    after_split: Any = split(content, INLINE)
    is_text = isinstance(after_split, str)
    blocks = [text_block(after_split)] if is_text else after_split
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    moved = seams_after_split(content, seams, INLINE)
    assert (moved[0], moved[-1]) == (0, len(text))
    assert moved == sorted(moved)
    for seam, after in zip(seams, moved, strict=True):
        assert is_subsequence(text[:after], (first + second)[:seam])


def is_subsequence(part: str, text: str) -> bool:
    """Return True if the characters of one text are in another, in order."""
    rest = iter(text)
    return all(char in rest for char in part)


# A later segment's thinking --------------------------------------------------------

TEXT = "Once upon a time there was a knight who had lost his"
QUOTE = "who had lost his"
THOUGHT = "<thinking>I was cut. I repeat the end and go on.</thinking>"


def joined(
    text: str, chunks: list[str], *, truncated: bool = False, inline: Any = INLINE
) -> str:
    """Return the text with a reply joined to it."""
    join = ThinkingAwareJoin(text, text[-len(QUOTE) :], thinking=inline)
    added = "".join(filter(None, map(join.feed, chunks)))
    added += join.finish(truncated=truncated)
    return text[: len(text) - join.replaced] + added


@pytest.mark.parametrize(
    "thinking", ["", THOUGHT, THOUGHT + "\n\n", "\n" + THOUGHT * 2]
)
@pytest.mark.parametrize("reply", [QUOTE + " horse.", "had lost his horse."])
def test_think_3_new_thinking_before_a_continuation_is_dropped(
    thinking: str, reply: str
) -> None:
    assert joined(TEXT, [thinking + reply]) == TEXT + " horse."


def test_think_3_new_thinking_of_any_length_is_dropped() -> None:
    thought = "<thinking>" + "On and on. " * 500 + "</thinking>\n"
    assert joined(TEXT, [thought + QUOTE + " horse."]) == TEXT + " horse."


def test_think_3_nothing_is_dropped_without_tags() -> None:
    text = joined(TEXT, [THOUGHT, QUOTE, " horse."], inline=None)
    assert text == TEXT + THOUGHT + QUOTE + " horse."


@pytest.mark.parametrize("truncated", [True, False])
def test_think_3_thinking_that_was_truncated_is_dropped(truncated: bool) -> None:
    thinking = THOUGHT[:30]
    expected = TEXT if truncated else TEXT + thinking
    assert joined(TEXT, [thinking], truncated=truncated) == expected


def test_think_3_nothing_is_dropped_inside_the_texts_own_thinking() -> None:
    text = "<thinking>The tags are like this: who had lost his"
    more = "<thinking>, and closed</thinking>Hello."
    assert joined(text, [more]) == text + more


@given(TEXTS, st.booleans(), st.data())
def test_think_4_the_chunks_make_no_difference(
    reply: str, truncated: bool, data: st.DataObject
) -> None:
    message = data.draw(st.sampled_from(["", THOUGHT, "<thinking>", " "])) + reply
    cuts = sorted(data.draw(st.lists(st.integers(0, len(message)), max_size=8)))
    chunks = [message[a:b] for a, b in itertools.pairwise([0, *cuts, len(message)])]
    in_chunks = joined(TEXT, chunks, truncated=truncated)
    assert in_chunks == joined(TEXT, [message], truncated=truncated)


@given(TEXTS, st.booleans())
def test_a_reply_without_thinking_is_joined_as_an_echo_join_does(
    reply: str, truncated: bool
) -> None:
    if reply.lstrip().startswith("<thinking>"):
        return
    join = EchoJoin(TEXT, QUOTE)
    added = (join.feed(reply) or "") + join.finish(truncated=truncated)
    expected = TEXT[: len(TEXT) - join.replaced] + added
    assert joined(TEXT, [reply], truncated=truncated) == expected
