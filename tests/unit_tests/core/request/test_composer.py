"""The rules MESSAGE-1 to MESSAGE-5, in the requests that a Composer composes."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_bedrock_continue._core.decisions.vocabulary import Form
from langchain_bedrock_continue._core.request.composer import Composer
from langchain_bedrock_continue._core.request.prompts import (
    WORDINGS,
    arguments_lead_in,
    arguments_prompt,
    continuation_prompt,
    wording_of,
)
from tests.support.contents import image_block, text_block

COPY, LAST_LINE = WORDINGS[Form.COPY], WORDINGS[Form.LAST_LINE]
CONVERSATION: list[BaseMessage] = [SystemMessage("S"), HumanMessage("Q")]
WITH_OWN_PREFILL: list[BaseMessage] = [*CONVERSATION, AIMessage("begun ")]
CONVERSATIONS = pytest.mark.parametrize(
    "messages", [CONVERSATION, WITH_OWN_PREFILL], ids=["plain", "own prefill"]
)
TOOLS: dict[str, Any] = {
    "tools": [{"name": "write"}],
    "tool_choice": {"any": {}},
    "stop": ["x"],
}


# The first request ----------------------------------------------------------------


@CONVERSATIONS
@pytest.mark.parametrize("kwargs", [{}, TOOLS, {"max_tokens": 7}])
def test_message_1_the_first_request_is_the_callers_own(
    messages: list[BaseMessage], kwargs: dict[str, Any]
) -> None:
    composer = Composer(messages, kwargs)
    assert composer.messages() == messages
    assert composer.kwargs(None) == kwargs
    assert not composer.in_user_turn


# Prefills and user turns ----------------------------------------------------------


def test_message_2_a_prefill_replaces_the_prefill_before_it() -> None:
    composer = Composer(CONVERSATION, {})
    composer.continue_in_prefill([text_block("one")])
    assert composer.messages() == [*CONVERSATION, AIMessage("one")]
    composer.continue_in_prefill([text_block("one two")])
    assert composer.messages() == [*CONVERSATION, AIMessage("one two")]
    assert not composer.in_user_turn


def test_message_2_a_user_turn_after_a_prefill_has_the_answer_so_far() -> None:
    composer = Composer(CONVERSATION, {})
    composer.continue_in_prefill([text_block("one")])
    composer.continue_in_user_turn([text_block("one two")].copy, "", COPY, "two")
    assert composer.messages() == [
        *CONVERSATION,
        AIMessage("one two"),
        HumanMessage(continuation_prompt(COPY, "two")),
    ]
    assert composer.in_user_turn


def test_message_2_a_prefill_after_a_user_turn_has_the_answer_so_far() -> None:
    composer = Composer(CONVERSATION, {})
    composer.continue_in_user_turn([text_block("one")].copy, "one", COPY, "one")
    composer.continue_in_prefill([text_block("one two")])
    assert composer.messages() == [*CONVERSATION, AIMessage("one two")]
    assert not composer.in_user_turn


def test_a_user_turn_uses_the_callers_template() -> None:
    composer = Composer(CONVERSATION, {})
    wording = wording_of(Form.CALLERS, "Continue after {tail}, please.")
    composer.continue_in_user_turn([text_block("one")].copy, "one", wording, "one")
    last = composer.messages()[-1]
    assert last == HumanMessage("Continue after one, please.")


@CONVERSATIONS
def test_message_2_a_user_turn_that_is_asked_again_replaces_the_prompt_alone(
    messages: list[BaseMessage],
) -> None:
    composer = Composer(messages, {})
    composer.continue_in_user_turn([text_block("one two")].copy, "", COPY, "two")
    *history, first = composer.messages()
    composer.ask_again(LAST_LINE, "one two")
    assert composer.in_user_turn
    *unchanged, second = composer.messages()
    assert unchanged == history
    assert first == HumanMessage(continuation_prompt(COPY, "two"))
    assert second == HumanMessage(continuation_prompt(LAST_LINE, "one two"))


def test_message_5_only_the_answer_that_was_used_is_in_the_history() -> None:
    composer = Composer(CONVERSATION, {})
    composer.continue_in_user_turn([text_block("one")].copy, "", COPY, "one")
    composer.ask_again(LAST_LINE, "one")
    asked = composer.messages()
    written = [text_block("one two")]
    composer.continue_in_user_turn(written.copy, "one two", COPY, "two")
    assert composer.messages() == [
        *asked,
        AIMessage("one two"),
        HumanMessage(continuation_prompt(COPY, "two")),
    ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["prefill", "user turn", "user turn in two forms"]),
        st.text("ab \n", min_size=1, max_size=5),
        st.booleans(),
    ),
    max_size=6,
)


def compose(composer: Composer, steps: list[tuple[str, str, bool]]) -> None:
    """Continue an answer step by step: how, with which text, and with an image?"""
    answer: list[dict[str, Any]] = []
    for strategy, text, has_image in steps:
        answer += [image_block("eA==")] if has_image else []
        answer += [text_block(text)]
        if strategy == "prefill":
            composer.continue_in_prefill(answer)
        else:
            composer.continue_in_user_turn(answer.copy, text, COPY, text.strip())
        if strategy == "user turn in two forms":
            composer.ask_again(LAST_LINE, text.strip())


@given(st.sampled_from([CONVERSATION, WITH_OWN_PREFILL]), STEPS)
def test_message_2_every_request_has_the_callers_messages(
    messages: list[BaseMessage], steps: list[tuple[str, str, bool]]
) -> None:
    composer = Composer(messages, {})
    compose(composer, steps)
    sent = composer.messages()
    assert sent[:2] == CONVERSATION
    roles = [message.type for message in sent[2:]]
    if steps:
        ends_in_prefill = steps[-1][0] == "prefill"
        assert composer.in_user_turn is not ends_in_prefill
        turns = (len(roles) + ends_in_prefill) // 2
        assert roles == ["ai", "human"] * turns if not ends_in_prefill else ["ai"]


@CONVERSATIONS
def test_message_4_the_answer_continues_the_callers_own_prefill(
    messages: list[BaseMessage],
) -> None:
    own = "begun" if messages is WITH_OWN_PREFILL else ""
    composer = Composer(messages, {})
    composer.continue_in_prefill([text_block("one")])
    assert composer.messages() == [*CONVERSATION, AIMessage(own + "one")]
    composer.continue_in_user_turn([text_block("one two")].copy, "", COPY, "two")
    _system, _question, answer, _prompt = composer.messages()
    assert answer == AIMessage(own + "one two")


@given(
    st.lists(
        st.tuples(st.text(max_size=9), st.text("ab", max_size=4), st.booleans()),
        min_size=2,
        max_size=6,
    )
)
def test_message_5_the_history_of_user_turns_only_grows(
    answers: list[tuple[str, str, bool]],
) -> None:
    composer, sent = Composer(CONVERSATION, {}), list(CONVERSATION)
    for number, (spoken, quote, again) in enumerate(answers):
        written = [text_block("all that was written, joined")]
        composer.continue_in_user_turn(written.copy, spoken, COPY, quote)
        if again:
            composer.ask_again(LAST_LINE, quote)
        before, sent = sent, composer.messages()
        assert sent[: len(before)] == before
        said, prompt = sent[len(before) :]
        first_answer = "all that was written, joined"
        assert said == AIMessage(spoken if number else first_answer)
        wording = LAST_LINE if again else COPY
        assert prompt == HumanMessage(continuation_prompt(wording, quote))


# The arguments of a tool call ------------------------------------------------------

LEAD_IN = arguments_lead_in("write")
BEFORE = [image_block("eA=="), text_block("I write.")]


def test_arguments_follow_what_the_answer_says_before_the_call() -> None:
    composer = Composer(CONVERSATION, TOOLS)
    composer.start_arguments("write", BEFORE)
    composer.continue_in_prefill([text_block('{"a": ')])
    *conversation, answer = composer.messages()
    assert conversation == CONVERSATION
    assert isinstance(answer, AIMessage)
    assert answer.content == [*BEFORE, text_block(f'\n\n{LEAD_IN}{{"a": ')]


@pytest.mark.parametrize("before", [[], BEFORE])
def test_arguments_in_a_second_prefill_replace_those_of_the_first(
    before: list[dict[str, Any]],
) -> None:
    composer = Composer(CONVERSATION, TOOLS)
    composer.start_arguments("write", before)
    composer.continue_in_prefill([text_block('{"a": ')])
    composer.continue_in_prefill([text_block('{"a": "b')])
    *conversation, answer = composer.messages()
    assert conversation == CONVERSATION
    assert answer.text.count(LEAD_IN) == 1
    assert answer.text.endswith(LEAD_IN + '{"a": "b')


def test_arguments_alone_begin_with_the_lead_in() -> None:
    composer = Composer(CONVERSATION, TOOLS)
    composer.start_arguments("write", [])
    composer.continue_in_prefill([text_block("{")])
    assert composer.messages()[-1] == AIMessage(LEAD_IN + "{")


@pytest.mark.parametrize("quote", ["", '{"a": '])
def test_arguments_in_a_user_turn_have_a_prompt_of_their_own(quote: str) -> None:
    composer = Composer(CONVERSATION, TOOLS)
    wording = wording_of(Form.CALLERS, "The answer's own prompt: {tail}")
    composer.start_arguments("write", [])
    composer.continue_in_user_turn([text_block('{"a": ')].copy, "", wording, quote)
    assert composer.messages() == [
        *CONVERSATION,
        AIMessage(LEAD_IN + '{"a": '),
        HumanMessage(arguments_prompt("write", quote)),
    ]


def test_message_5_the_history_of_user_turns_for_arguments_only_grows() -> None:
    composer = Composer(CONVERSATION, TOOLS)
    said = [text_block("I write. ")]
    composer.continue_in_user_turn(said.copy, "I write. ", COPY, "I write.")
    composer.start_arguments("write", [text_block("I write. Now.")])
    assert not composer.in_user_turn
    composer.continue_in_user_turn([text_block('{"a": ')].copy, "", COPY, '{"a": ')
    first = composer.messages()
    assert first[2].text == f'I write. Now.\n\n{LEAD_IN}{{"a": '
    written = [text_block('{"a": "b')]
    composer.continue_in_user_turn(written.copy, '{"a": "b', COPY, '"b')
    second = composer.messages()
    assert second == [
        *first,
        AIMessage('{"a": "b'),
        HumanMessage(arguments_prompt("write", '"b')),
    ]


# The call's arguments -------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, {"max_tokens": 9}),
        ({"max_tokens": 5, "stop": ["x"]}, {"max_tokens": 9, "stop": ["x"]}),
        ({"maxTokens": 5}, {"max_tokens": 9}),
        ({"inferenceConfig": {"topP": 1}}, {"inferenceConfig": {"topP": 1}}),
    ],
)
def test_max_tokens_is_changed_only_if_it_is_given(
    kwargs: dict[str, Any], expected: dict[str, Any]
) -> None:
    composer = Composer(CONVERSATION, kwargs)
    assert composer.kwargs(None) == kwargs
    changed = composer.kwargs(9)
    if "inferenceConfig" in changed:
        assert changed["inferenceConfig"].pop("maxTokens") == 9
    assert changed == expected


@pytest.mark.parametrize("max_tokens", [None, 9])
def test_the_tool_choice_is_dropped_only_for_arguments(max_tokens: int | None) -> None:
    composer = Composer(CONVERSATION, TOOLS)
    own = {} if max_tokens is None else {"max_tokens": max_tokens}
    composer.continue_in_prefill([text_block("one")])
    assert composer.kwargs(max_tokens) == {**TOOLS, **own}
    composer.start_arguments("write", [])
    without_choice = {key: TOOLS[key] for key in ("tools", "stop")}
    assert composer.kwargs(max_tokens) == {**without_choice, **own}


# The caller's objects -------------------------------------------------------------


@given(st.sampled_from([CONVERSATION, WITH_OWN_PREFILL]), STEPS, st.booleans())
def test_message_3_the_callers_objects_are_not_changed(
    messages: list[BaseMessage], steps: list[tuple[str, str, bool]], arguments: bool
) -> None:
    kwargs = copy.deepcopy({**TOOLS, "inferenceConfig": {"maxTokens": 5}})
    before = copy.deepcopy((messages, kwargs))
    composer = Composer(messages, kwargs)
    if arguments:
        composer.start_arguments("write", BEFORE)
        steps = [(strategy, text, False) for strategy, text, _ in steps]
    compose(composer, steps)
    sent = composer.messages()
    expected = copy.deepcopy(sent)
    if isinstance(sent[-1], AIMessage):
        sent[-1].content = "changed, as langchain-aws does"
    sent.pop()
    for max_tokens in (None, 9):
        composer.kwargs(max_tokens).clear()
    assert (messages, kwargs) == before
    assert composer.messages() == expected
