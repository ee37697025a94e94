"""The invariants of `inline_thinking`, against langchain-aws itself."""

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

TAGS = ("<thinking>", "</thinking>")
INLINE = InlineThinking(TAGS, bedrock_converse._split_inline_reasoning)
PIECES = st.sampled_from(
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
TEXTS = st.lists(PIECES, max_size=14).map("".join)
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
    """What ChatBedrockConverse makes of a response of this content."""
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    message = {"role": "assistant", "content": content}
    return bedrock_converse._parse_response(
        {"output": {"message": message}, "stopReason": "end_turn", "usage": usage},
        inline_reasoning_tags=llm._inline_reasoning_tags_for_model(),
    ).content


@given(TEXTS)
def test_k1_a_text_is_split_as_langchain_aws_splits_it(text: str) -> None:
    response = [{"text": text}]
    assert split(text, INLINE) == parsed(response, NOVA)


@given(TEXTS, TEXTS)
def test_k1_so_are_several_blocks(first: str, second: str) -> None:
    use = {"toolUseId": "1", "name": "f", "input": {}}
    response: Any = [{"text": first}, {"text": second}, {"toolUse": use}]
    blocks: Any = [{"type": "text", "text": text} for text in (first, second)]
    before = copy.deepcopy(blocks)
    assert split([*blocks, CALL], INLINE) == parsed(response, NOVA)
    assert blocks == before


def test_k1_without_tags_nothing_is_split() -> None:
    assert split("<thinking>a</thinking>b", None) == "<thinking>a</thinking>b"
    assert seams_after_split("<thinking>a</thinking>b", [7], None) == [7]


@pytest.mark.parametrize(
    "content",
    ["", "no tag", "<thinking>open", "shut</thinking>", [CALL], [CITED, CALL]],
)
def test_k2_what_has_no_whole_pair_stays(content: Any) -> None:
    assert split(content, INLINE) == content


@given(TEXTS, TEXTS)
@example("<thinking>a</thinking> <thinking>a</thinking>\n", "b")
def test_a_seam_is_where_it_was_in_what_is_left(first: str, second: str) -> None:
    content: Any = [{"type": "text", "text": text} for text in (first, second)]
    seams = list(range(len(first + second) + 1))
    left: Any = split(content, INLINE)
    blocks = [{"type": "text", "text": left}] if isinstance(left, str) else left
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    whole = "".join(texts)
    behinds = seams_after_split(content, seams, INLINE)
    assert (behinds[0], behinds[-1]) == (0, len(whole))
    assert behinds == sorted(behinds)
    for seam, behind in zip(seams, behinds, strict=True):
        before = (first + second)[:seam]
        assert is_within(whole[:behind], before)


def is_within(part: str, whole: str) -> bool:
    """Tell whether the characters of one text are in another, in order."""
    rest = iter(whole)
    return all(char in rest for char in part)


# A later segment's thinking --------------------------------------------------------

TEXT = "Once upon a time there was a knight who had lost his"
QUOTE = "who had lost his"
THOUGHT = "<thinking>I was cut. I repeat the end and go on.</thinking>"


def joined(
    text: str, chunks: list[str], *, cut: bool = False, inline: Any = INLINE
) -> str:
    join = ThinkingAwareJoin(text, text[-len(QUOTE) :], thinking=inline)
    added = "".join(filter(None, map(join.feed, chunks))) + join.finish(truncated=cut)
    return text[: len(text) - join.replaced] + added


@pytest.mark.parametrize("lead", ["", THOUGHT, THOUGHT + "\n\n", "\n" + THOUGHT * 2])
@pytest.mark.parametrize("said", [QUOTE + " horse.", "had lost his horse."])
def test_k3_new_thinking_before_the_continuation_is_dropped(
    lead: str, said: str
) -> None:
    assert joined(TEXT, [lead + said]) == TEXT + " horse."


def test_k3_long_thinking_is_too() -> None:
    thought = "<thinking>" + "On and on. " * 500 + "</thinking>\n"
    assert joined(TEXT, [thought + QUOTE + " horse."]) == TEXT + " horse."


def test_k3_without_tags_it_is_a_join_and_no_more() -> None:
    text = joined(TEXT, [THOUGHT, QUOTE, " horse."], inline=None)
    assert text == TEXT + THOUGHT + QUOTE + " horse."


@pytest.mark.parametrize("cut", [True, False])
def test_k3_thinking_that_does_not_end_adds_nothing_if_it_was_cut(cut: bool) -> None:
    begun = THOUGHT[:30]
    assert joined(TEXT, [begun], cut=cut) == (TEXT if cut else TEXT + begun)


def test_k3_what_goes_on_within_the_texts_own_thinking_is_kept() -> None:
    text = "<thinking>The tags are like this: who had lost his"
    more = "<thinking>, and closed</thinking>Hello."
    assert joined(text, [more]) == text + more


@given(TEXTS, st.booleans(), st.data())
def test_k4_the_chunks_make_no_difference(
    said: str, cut: bool, data: st.DataObject
) -> None:
    message = data.draw(st.sampled_from(["", THOUGHT, "<thinking>", " "])) + said
    cuts = sorted(data.draw(st.lists(st.integers(0, len(message)), max_size=8)))
    chunks = [message[a:b] for a, b in itertools.pairwise([0, *cuts, len(message)])]
    assert joined(TEXT, chunks, cut=cut) == joined(TEXT, [message], cut=cut)


@given(TEXTS, st.booleans())
def test_k4_a_message_without_a_thought_joins_as_ever(said: str, cut: bool) -> None:
    if said.lstrip().startswith("<thinking>"):
        return
    join = EchoJoin(TEXT, QUOTE)
    plain = (join.feed(said) or "") + join.finish(truncated=cut)
    assert joined(TEXT, [said], cut=cut) == TEXT[: len(TEXT) - join.replaced] + plain
