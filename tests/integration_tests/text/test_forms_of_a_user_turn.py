"""A user turn that does not work is asked again in another form, at most twice a seam.

The scripted models answer each form in a way of its own: some forms they obey, and in
others they begin again, say nothing, or stop too early.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from langchain_core.messages import AIMessage

from langchain_bedrock_continue import ChatBedrockContinuing, TurnLimitError
from langchain_bedrock_continue._core.decisions.forms import PROVEN_TURNS, forget_forms
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    Request,
    Script,
    Think,
)
from tests.support.answers import tools
from tests.support.callbacks import Recorder
from tests.support.endpoint import Serve
from tests.support.entrances import ENTRANCES, Entrance
from tests.support.messages import continuation, ending
from tests.support.models import (
    PREFILL_MODEL,
    REFUSING_MODEL,
    THINKING,
    chat_bedrock,
    continuing_chat_bedrock,
    model,
)
from tests.support.resume import Resume
from tests.support.scripts import quote_of, texts_of

COPY, LAST_LINE, WITHOUT_ECHO = "copy", "last_line", "without_echo"
ORDER = (COPY, LAST_LINE, WITHOUT_ECHO)

STORY = (
    "The lighthouse was built of grey stone in the year of the great storm. Its keeper "
    "counted the ships that came, and wrote them down in a book of her own, which had "
    "a cover of green linen. Nobody ever read this book but the keeper herself, on the "
    "long nights of the winter, when the wind had put out the lamp of the harbour. In "
    "the spring a letter arrived from the ministry, and it asked for a list of all the "
    "ships. She answered that there were too many, and that most of them had no name "
    "that a ministry could spell. They never wrote to her again, and the book is still "
    "there, on a shelf above the stairs.\n\nThat is all that is known of her.\n"
)
SIZE = 64
"""The `max_tokens`: two seams in the story."""

Habit: TypeAlias = Callable[[str, str, str], str | Answer]
"""Answers a user turn, from the complete text, what is written of it, and the quote."""


@pytest.fixture(autouse=True)
def _no_forms_remembered() -> Iterator[None]:
    """Forget which forms worked: the package remembers it in a process."""
    forget_forms()
    yield
    forget_forms()


# The habits of the models ---------------------------------------------------------


def obey(text: str, written: str, quote: str) -> str:
    """Repeat the quote, and write the rest."""
    return quote + text[len(written) :]


def go_on(text: str, written: str, _quote: str) -> str:
    """Write the rest, and repeat nothing."""
    return text[len(written) :]


def begin_again(text: str, _written: str, _quote: str) -> str:
    """Write the answer again, from its beginning."""
    return text


def echo_only(_text: str, _written: str, quote: str) -> str:
    """Repeat the quote, and end."""
    return quote


def say_nothing(_text: str, _written: str, _quote: str) -> Answer:
    """Write nothing at all."""
    return Answer([])


def echo_and_begin_again(text: str, _written: str, quote: str) -> str:
    """Repeat the quote, and then write the answer again."""
    return f"{quote}\n\n{text}"


def echo_and(new: str) -> Habit:
    """Repeat the quote, and write something else."""
    return lambda _text, _written, quote: quote + new


def stop_after(count: int) -> Habit:
    """Obey, but end after some characters of new text."""
    return lambda text, written, quote: (
        quote + text[len(written) : len(written) + count]
    )


def form_of(request: Request) -> str | None:
    """Return the form of a request; None for a question of the caller."""
    prompt = texts_of(request)[-1]
    marks = {
        COPY: "First copy the line above",
        LAST_LINE: "Write this line again",
        WITHOUT_ECHO: "Continue from where you left off.",
        "continuation_prompt": "Weiter nach ",
    }
    return next((form for form, mark in marks.items() if mark in prompt), None)


def by_form(text: str, other: Habit = obey, **habits: Habit) -> Script:
    """Make a model that says one text, and has a habit for each form."""

    def answer(request: Request) -> str | Answer:
        form = form_of(request)
        if form is None:
            return text
        quote = quote_of(request) or texts_of(request)[-1].partition("Weiter nach ")[2]
        written = text[: text.rindex(quote) + len(quote)]
        return habits.get(form, other)(text, written, quote)

    return Script(answer)


def forms_in(message: AIMessage) -> list[str | None]:
    return [one.get("form") for one in continuation(message)["segments"]]


def check_forms(message: AIMessage, *tried: str | None) -> None:
    """Check the forms of the first seam; later seams have the one that worked."""
    forms = forms_in(message)
    assert forms[: len(tried)] == list(tried)
    later = forms[len(tried) :]
    assert later
    assert set(later) == {tried[-1]}


def problems_in(message: AIMessage) -> list[str | None]:
    return [one.get("problem") for one in continuation(message)["segments"]]


def asking(bedrock: Any, **kwargs: Any) -> Any:
    """Return a model whose answers have no more room than the first one."""
    sizes = {"max_tokens": SIZE, "max_tokens_ceiling": SIZE}
    return model(bedrock, **{"model": REFUSING_MODEL, **sizes, **kwargs})


# A form that does not work --------------------------------------------------------


def test_a_restart_costs_one_call(serve: Serve, every_entrance: Entrance) -> None:
    bedrock = serve(by_form(STORY, copy=begin_again))
    message = every_entrance(asking(bedrock), "Hi")
    assert message.text == STORY
    assert ending(message) == ("model", True)
    check_forms(message, None, COPY, LAST_LINE)
    assert problems_in(message).count("first_line") == 1
    assert set(problems_in(message)) == {None, "first_line"}


def test_the_next_form_takes_the_place_of_the_first(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(by_form(STORY, copy=begin_again))
    entrance(asking(bedrock), "Hi")
    _, first, second, *_ = [one.body["messages"] for one in bedrock.requests]
    assert first[:-1] == second[:-1]
    assert first[-1] != second[-1]


REPORT = "\n".join(
    f"Line {n} of the report tells of the {n * n} ships that were seen on day {7 * n}."
    for n in range(60)
)


@pytest.mark.parametrize("name", ["stream", "astream"])
@pytest.mark.parametrize("lead", ["", "Sure! Here is the report:\n\n"])
def test_the_stream_of_a_restart_is_closed(serve: Serve, name: str, lead: str) -> None:
    # The restart stops in the middle, and would never end.
    silence = FaultAt(Fault("silence"), at=200, request=None)

    def restart(text: str, _written: str, _quote: str) -> Answer:
        return Answer(lead + text, faults=[silence])

    bedrock = serve(by_form(REPORT, copy=restart))
    message = ENTRANCES[name](asking(bedrock, max_tokens=900), "Hi")
    assert message.text == REPORT
    assert problems_in(message) == [None, "first_line", None]
    closed = continuation(message)["segments"][1]
    assert closed["stop_reason"] is None
    assert closed["output_tokens"] is None


LIST = "Before you sleep:\n\n" + "".join(
    f"{n}. Do the thing of number {n} for {n + 3} minutes, and then rest\n"
    for n in range(1, 16)
)
TABLE = "The ships:\n\n| no | at |\n|---|---|\n" + "".join(
    f"| {n * n} | {n + 3} o'clock, in the month of {n} |\n" for n in range(1, 21)
)
LATER_SENTENCE = STORY[STORY.index("Its keeper") : STORY.index("In the spring")]

WITHOUT_NEW_TEXT: dict[str, tuple[str, Habit, str]] = {
    "restart": (STORY, begin_again, "first_line"),
    "echo and restart": (STORY, echo_and_begin_again, "first_line"),
    "earlier sentence": (STORY, lambda *_: LATER_SENTENCE, "earlier_place"),
    "echo and the end": (STORY, echo_only, "nothing_new"),
    "nothing": (STORY, say_nothing, "nothing_new"),
    "item 1 again": (LIST, echo_and("\n1. Do another thing\n"), "list_number"),
    "header again": (
        TABLE,
        echo_and("\n| no | at |\n|---|---|\n| 7 | 1 |"),
        "table_header",
    ),
    "no echo": (STORY, lambda *_: "There was a king who had a goat.", "no_echo"),
}
"""What the first form brings, and what the segment says of it."""


@pytest.mark.parametrize("name", WITHOUT_NEW_TEXT)
def test_what_brings_nothing_new_is_not_shown(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    text, habit, problem = WITHOUT_NEW_TEXT[name]
    bedrock = serve(by_form(text, copy=habit))
    message = entrance(asking(bedrock), "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    assert problems_in(message)[:3] == [None, problem, None]
    assert set(problems_in(message)[3:]) <= {None, "ended_in_line", problem}


CODE = "Here it is:\n\n```python\n" + "".join(
    f"def number_{n}():\n    return {n * n * 7}\n\n\n" for n in range(16)
)
JSON = '{"ships": [' + ", ".join(f'{{"name": "ship {n}"}}' for n in range(30)) + "]}"

OPEN = {
    "fence": (CODE + "```\n", 16),
    "JSON": (JSON, 16),
    "row": (TABLE, 16),
    "sentence": (STORY.replace(". ", ".\n\n"), 70),
}
"""A text, and after how many characters of new text the model ends."""


@pytest.mark.parametrize("name", OPEN)
def test_new_text_that_ends_too_early_is_kept_and_continued(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    text, count = OPEN[name]
    bedrock = serve(by_form(text, copy=stop_after(count)))
    message = entrance(asking(bedrock, max_tokens=100), "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    assert problems_in(message)[:3] == [None, "ended_early", None]
    assert forms_in(message)[:3] == [None, COPY, LAST_LINE]
    seams = continuation(message)["seams"]
    assert 0 < seams[1] - seams[0] <= count + 1


SQL = "Two tables:\n\n```sql\n" + "".join(
    f"INSERT INTO ships_{n} (number_{n}, name_{n})\nVALUES ({n * n}, 'ship {n}');\n\n"
    for n in range(9, 40)
)

CLOSING = {
    "the end": "\n```",
    "a remark": "\n```\n\nThese are the statements that you need.",
    "the block again": f"\n```\n\n{SQL.partition(chr(10))[2]}",
}
"""What a model writes in the middle of a statement."""


@pytest.mark.parametrize("name", CLOSING)
def test_a_code_block_that_is_closed_in_a_statement_goes_on(
    serve: Serve, entrance: Entrance, name: str
) -> None:
    text = f"{SQL}```\n"

    def close(text: str, written: str, quote: str) -> str:
        new = text[len(written) :].partition(")")[0]
        return quote + new[:6] + CLOSING[name]

    bedrock = serve(by_form(text, copy=close))
    message = entrance(asking(bedrock, max_tokens=300), "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    assert problems_in(message)[:3] == [None, "ended_early", None]
    assert forms_in(message)[:3] == [None, COPY, LAST_LINE]


def test_a_code_block_that_goes_on_in_another_is_one_block(
    serve: Serve, every_entrance: Entrance
) -> None:
    text = f"{SQL}```\n"

    def reopen(text: str, written: str, quote: str) -> str:
        names, values, rest = text[len(written) :].partition("\nVALUES")
        reopened = f"\n```\n\n```sql{values}" if values else ""
        return quote + names + reopened + rest

    bedrock = serve(by_form(text, reopen))
    message = every_entrance(asking(bedrock, max_tokens=300), "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    assert set(problems_in(message)) == {None}


def test_a_text_that_may_be_complete_is_not_asked_for_again(
    serve: Serve, entrance: Entrance
) -> None:
    first = STORY.index("They never wrote")
    bedrock = serve(by_form(STORY, copy=stop_after(len(STORY))))
    message = entrance(asking(bedrock), "Hi")
    assert message.text == STORY
    assert len(bedrock.requests) == 3
    assert first > 0


INVENTIONS = "".join(
    f"{n}. The {name} was invented by somebody who had {n * n} other ideas that year.\n"
    for n, name in enumerate(["wheel", "press", "lamp", "kite", "clock", "sail"], 1)
)


def end_line(text: str, written: str, quote: str) -> str:
    """Repeat the quote, complete its line, and end."""
    return quote + text[len(written) :].partition("\n")[0]


def at_first(first: Habit, *, then: Habit) -> Habit:
    """Have one habit once, and then another one."""
    waiting = iter([first])

    def habit(text: str, written: str, quote: str) -> str | Answer:
        return next(waiting, then)(text, written, quote)

    return habit


def test_an_end_in_the_line_of_the_seam_is_doubted_after_another_form(
    serve: Serve, every_entrance: Entrance
) -> None:
    habits = {"copy": at_first(begin_again, then=obey), "last_line": end_line}
    bedrock = serve(by_form(INVENTIONS, **habits))
    message = every_entrance(asking(bedrock, max_tokens=50), "Hi")
    assert message.text == INVENTIONS
    assert ending(message) == ("model", True)
    assert problems_in(message)[:4] == [None, "first_line", "ended_in_line", None]
    assert forms_in(message)[:4] == [None, COPY, LAST_LINE, COPY]


@pytest.mark.parametrize("habit", [echo_only, say_nothing, begin_again, go_on])
def test_an_end_that_was_doubted_is_the_end_if_nothing_follows(
    serve: Serve, entrance: Entrance, habit: Habit
) -> None:
    text = INVENTIONS.partition("\n3")[0]
    habits = {"copy": at_first(begin_again, then=habit), "last_line": end_line}
    bedrock = serve(by_form(text, **habits))
    message = entrance(asking(bedrock, max_tokens=30), "Hi")
    assert message.text == text
    assert ending(message) == ("model", True)
    assert problems_in(message)[-2] == "ended_in_line"


def test_an_end_in_the_line_is_the_end_where_no_call_is_left(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(by_form(INVENTIONS, copy=begin_again, last_line=end_line))
    llm = asking(bedrock, max_tokens=50, max_continuations=2)
    message = entrance(llm, "Hi")
    assert ending(message) == ("model", True)
    assert problems_in(message) == [None, "first_line", "ended_in_line"]


def test_a_form_that_is_remembered_is_doubted_too(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(by_form(INVENTIONS, copy=begin_again))
    for _ in range(PROVEN_TURNS):
        assert entrance(asking(bedrock, max_tokens=50), "Hi").text == INVENTIONS
    bedrock = serve(by_form(INVENTIONS, last_line=end_line))
    message = entrance(asking(bedrock, max_tokens=50), "Hi")
    assert message.text == INVENTIONS
    assert forms_in(message)[:3] == [None, LAST_LINE, COPY]


PASSAGE = (
    "He read the letter carefully, and saw that it was a message from a friend. It was "
    "written in a strange script, and told of things that he had never seen or heard. "
)


def looping(request: Request, *habits: str) -> str:
    """Write a passage without end; in the other forms, end the story."""
    form = form_of(request)
    if form is None:
        return STORY[:84] + PASSAGE * 50
    said = texts_of(request)[1]
    at = (STORY[:84] + PASSAGE * 50).index(said) + len(said)
    rest = (STORY[:84] + PASSAGE * 50)[at:]
    return quote_of(request) + (rest if form in habits else " and the end.")


def test_a_cycle_is_left_in_another_form(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(Script(lambda request: looping(request, COPY)))
    message = every_entrance(asking(bedrock, max_tokens=100), "Hi")
    assert message.text.endswith(" and the end.")
    assert message.text.count(PASSAGE) <= 2
    assert ending(message) == ("model", True)
    assert problems_in(message)[-2:] == ["cycle", None]


def test_a_cycle_in_every_form_ends_the_turn(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(Script(lambda request: looping(request, *ORDER)))
    message = every_entrance(asking(bedrock, max_tokens=100), "Hi")
    assert ending(message) == ("repetition", False)
    assert problems_in(message)[-1] == "cycle"
    assert message.text.count(PASSAGE) <= 5
    assert len(bedrock.requests) <= 9


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("strategy", ["prefill", "user_turn"])
def test_a_line_a_hundred_times(
    serve: Serve, entrance: Entrance, strategy: str, *, asked: bool
) -> None:
    text = "I will not talk in class again.\n" * 100

    def answer(request: Request) -> str:
        if form_of(request) is None:
            return text
        said = "".join(texts_of(request)[1::2])
        return quote_of(request) + text[len(said.rstrip()) :]

    bedrock = serve(Script(answer) if strategy == "user_turn" else text)
    name = REFUSING_MODEL if strategy == "user_turn" else PREFILL_MODEL
    prompt = (
        "Write a hundred times: 'I will NOT talk in class again'." if asked else "Hi"
    )
    message = entrance(asking(bedrock, model=name, max_tokens=300), prompt)
    if asked or strategy == "prefill":
        assert message.text.count("I will not talk") >= 90
    else:
        assert ending(message) == ("repetition", False)
        assert message.text.count("I will not talk") < 60


# No form works --------------------------------------------------------------------

FAILING = {
    "restart": begin_again,
    "echo and restart": echo_and_begin_again,
    "earlier sentence": WITHOUT_NEW_TEXT["earlier sentence"][1],
}


@pytest.mark.parametrize("name", FAILING)
def test_when_all_forms_fail_nothing_is_doubled(
    serve: Serve, every_entrance: Entrance, name: str
) -> None:
    bedrock = serve(by_form(STORY, FAILING[name]))
    message = every_entrance(asking(bedrock), "Hi")
    written = bedrock.requests[1].body["messages"][1]["content"][0]["text"]
    assert message.text.rstrip() == written
    assert ending(message) == ("no_progress", False)
    assert forms_in(message) == [None, *ORDER]
    assert len(bedrock.requests) == 4


@pytest.mark.parametrize("max_tokens", [60, 200])
def test_a_model_that_begins_again_late_gets_room_for_all_of_it_at_once(
    serve: Serve, every_entrance: Entrance, max_tokens: int
) -> None:
    def tire(text: str, written: str, quote: str) -> str:
        return text if len(written) > 3_000 else quote + text[len(written) :]

    bedrock = serve(by_form(REPORT, tire))
    llm = asking(
        bedrock,
        max_tokens=max_tokens,
        max_tokens_ceiling=16_000,
        max_continuations=90,
    )
    message = every_entrance(llm, "Hi")
    assert message.text == REPORT
    assert ending(message) == ("model", True)
    began = problems_in(message).index("first_line")
    assert problems_in(message)[began:][:3] == ["first_line"] * 3
    sizes = [one["max_tokens"] for one in continuation(message)["segments"]]
    assert sizes[began + 2] == max_tokens
    assert len(sizes) == began + 4
    assert sizes[-1] > len(REPORT) / 8


def test_more_room_is_tried_once_for_a_model_that_does_not_get_further(
    serve: Serve, entrance: Entrance
) -> None:
    endless = "Once more, from the beginning, as it was in the first place. " * 400
    bedrock = serve(by_form(STORY, lambda *_: STORY[:200] + endless))
    llm = asking(bedrock, max_tokens_ceiling=16_000)
    message = entrance(llm, "Hi")
    assert ending(message)[1] is False
    assert len(bedrock.requests) <= len(ORDER) + 3


@pytest.mark.parametrize("habit", [echo_only, say_nothing])
@pytest.mark.parametrize("opened", [True, False])
def test_when_all_forms_say_nothing_the_text_says_whether_it_is_complete(
    serve: Serve, entrance: Entrance, habit: Habit, opened: bool
) -> None:
    """A fence that is open is not complete; a sentence may be."""
    text = CODE[: CODE.index("def number_9")] if opened else STORY

    def answer(request: Request) -> str | Answer:
        if form_of(request) is None:
            return Answer(text, stop_reason="max_tokens")
        return habit(text, text, quote_of(request))

    bedrock = serve(Script(answer))
    message = entrance(asking(bedrock, max_tokens=400), "Hi")
    assert message.text.rstrip() == text.rstrip()
    assert ending(message) == (("no_progress", False) if opened else ("model", True))
    assert problems_in(message) == [None, *["nothing_new"] * 3]
    assert len(bedrock.requests) == 4


def test_when_all_forms_fail_the_caller_may_want_an_error(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(by_form(STORY, begin_again))
    with pytest.raises(TurnLimitError, match="no_progress") as raised:
        every_entrance(asking(bedrock, on_limit="raise"), "Hi")
    partial = raised.value.partial
    assert STORY.startswith(partial.text)
    assert len(partial.text) > 100
    assert ending(partial) == ("no_progress", False)


def test_a_partial_message_is_resumed_once_the_model_can(
    serve: Serve, entrance: Entrance, every_resume: Resume
) -> None:
    partial = entrance(asking(serve(by_form(STORY, begin_again))), "Hi")
    bedrock = serve(by_form(STORY, obey))
    message = every_resume(asking(bedrock), "Hi", partial)
    assert message.text == STORY
    assert ending(message) == ("model", True)
    check_forms(message, None, *ORDER, COPY)


# The form that works --------------------------------------------------------------


@pytest.mark.parametrize("works", ORDER[1:])
def test_the_form_that_worked_is_the_first_one_from_then_on(
    serve: Serve, entrance: Entrance, works: str
) -> None:
    tried = list(ORDER[: ORDER.index(works) + 1])
    habits = {works: obey}
    bedrock = serve(by_form(STORY, begin_again, **habits))
    for _ in range(PROVEN_TURNS):
        message = entrance(asking(bedrock), "Hi")
        assert message.text == STORY
        check_forms(message, None, *tried)
    again = entrance(asking(bedrock), "Hi")
    assert again.text == STORY
    check_forms(again, None, works)
    other = entrance(asking(bedrock, model=PREFILL_MODEL, strategy="user_turn"), "Hi")
    assert other.text == STORY
    check_forms(other, None, *tried)


def test_without_any_echo_a_seam_is_not_asked_for_again(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(by_form(STORY, go_on))
    message = entrance(asking(bedrock), "Hi")
    assert message.text.replace(" ", "") == STORY.replace(" ", "")
    assert len(bedrock.requests) <= 5


CALLERS = "Weiter nach {tail}"


def test_the_callers_prompt_is_always_first(serve: Serve, entrance: Entrance) -> None:
    bedrock = serve(by_form(STORY, continuation_prompt=begin_again))
    llm = asking(bedrock, continuation_prompt=CALLERS)
    message = entrance(llm, "Hi")
    assert message.text == STORY
    check_forms(message, None, "continuation_prompt", COPY)
    again = entrance(llm, "Hi")
    assert forms_in(again)[1] == "continuation_prompt"
    prompt = bedrock.requests[1].body["messages"][-1]["content"][0]["text"]
    before = bedrock.requests[1].body["messages"][-2]["content"][0]["text"]
    quote = prompt.removeprefix("Weiter nach ")
    assert quote
    assert before.endswith(quote)


def test_the_callers_prompt_and_two_of_ours_are_tried(
    serve: Serve, entrance: Entrance
) -> None:
    bedrock = serve(by_form(STORY, begin_again))
    message = entrance(asking(bedrock, continuation_prompt=CALLERS), "Hi")
    assert ending(message) == ("no_progress", False)
    assert forms_in(message) == [None, "continuation_prompt", COPY, LAST_LINE]


# Limits, usage, events ------------------------------------------------------------


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_max_continuations_ends_a_turn_between_forms(
    serve: Serve, entrance: Entrance, calls: int
) -> None:
    bedrock = serve(by_form(STORY, begin_again))
    message = entrance(asking(bedrock, max_continuations=calls), "Hi")
    by = "no_progress" if calls == len(ORDER) else "max_continuations"
    assert ending(message) == (by, False)
    assert len(bedrock.requests) == calls + 1
    assert STORY.startswith(message.text)


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_max_total_tokens_ends_a_turn_between_forms(serve: Serve, name: str) -> None:
    bedrock = serve(by_form(STORY, begin_again))
    message = ENTRANCES[name](asking(bedrock, max_total_tokens=2 * SIZE), "Hi")
    assert ending(message) == ("max_total_tokens", False)
    assert len(bedrock.requests) == 2
    assert problems_in(message) == [None, "first_line"]


def test_max_seconds_ends_a_turn_between_forms(
    serve: Serve, entrance: Entrance
) -> None:
    def slowly(text: str, _written: str, _quote: str) -> Answer:
        return Answer(text, first_delay=1.0)

    bedrock = serve(by_form(STORY, slowly))
    message = entrance(asking(bedrock, max_seconds=1.0), "Hi")
    assert ending(message) == ("max_seconds", False)
    assert len(bedrock.requests) <= 2
    assert STORY.startswith(message.text)


def test_the_bill_has_the_rejected_response_and_the_size_has_not(
    serve: Serve, every_entrance: Entrance
) -> None:
    restart = Answer("The lighthouse was built of grey stone, I say.", stop_reason=None)

    def again(_text: str, _written: str, _quote: str) -> Answer:
        return restart

    bedrock = serve(by_form(STORY, copy=again))
    message = every_entrance(asking(bedrock), "Hi")
    assert message.text == STORY
    summary = continuation(message)
    entries = summary["segments"]
    known = [one for one in entries if one["output_tokens"] is not None]
    billed, response = summary["billed"], summary["response"]
    assert billed["output_tokens"] == sum(one["output_tokens"] for one in known)
    assert billed["input_tokens"] == sum(one["input_tokens"] for one in known)
    kept = [one for one in known if "problem" not in one]
    assert response["output_tokens"] == sum(one["output_tokens"] for one in kept)
    assert response["input_tokens"] == entries[0]["input_tokens"]


@pytest.mark.parametrize("name", ["invoke", "ainvoke"])
def test_a_response_that_was_read_is_billed(serve: Serve, name: str) -> None:
    bedrock = serve(by_form(STORY, copy=begin_again))
    summary = continuation(ENTRANCES[name](asking(bedrock), "Hi"))
    assert summary["segments"][1]["output_tokens"] == SIZE
    difference = (
        summary["billed"]["output_tokens"] - summary["response"]["output_tokens"]
    )
    assert difference == SIZE


def test_an_event_says_that_and_why_it_is_asked_again(
    serve: Serve, every_entrance: Entrance, recorder: Recorder
) -> None:
    bedrock = serve(by_form(STORY, copy=begin_again, last_line=echo_only))
    message = every_entrance(asking(bedrock), "Hi", config={"callbacks": [recorder]})
    events = [data for _, data in recorder.events]
    assert [one["type"] for one in events[:4]] == [
        *("seam", "asked_again", "asked_again", "seam")
    ]
    assert [one["segment"].get("problem") for one in events[:4]] == [
        *(None, "first_line", "nothing_new", None)
    ]
    assert [one["segment"].get("form") for one in events[:4]] == [None, *ORDER]
    first = continuation(message)["seams"][0]
    assert [one["offset"] for one in events[:3]] == [first] * 3
    if recorder.tokens[1:]:
        assert "".join(recorder.tokens) == message.text


# Other content, and the other API -------------------------------------------------


def test_a_rejected_response_with_a_tool_call_keeps_the_call(
    serve: Serve, every_entrance: Entrance
) -> None:
    """A stream is closed before the call arrives; then the next form brings it."""

    def calling(habit: Habit) -> Habit:
        call = CallTool("write", {"a": 1}, tool_use_id="w")

        def answer(text: str, written: str, quote: str) -> Answer:
            said = habit(text, written, quote)
            return Answer([str(said), call])

        return answer

    text = STORY[: STORY.index("In the spring")]
    script = by_form(text, calling(obey), copy=calling(begin_again))
    bedrock = serve(script)
    llm = asking(bedrock, max_tokens=70, max_tokens_ceiling=140)
    message = every_entrance(llm.bind_tools(tools("write")), "Hi")
    assert [call["id"] for call in message.tool_calls] == ["w"]
    assert text.startswith(message.text.rstrip())
    assert ending(message) == ("model", True)


@pytest.mark.parametrize("works", ORDER[1:])
def test_a_seam_after_thinking_is_asked_for_in_each_form(
    serve: Serve, entrance: Entrance, works: str
) -> None:
    def thinking(habit: Habit) -> Habit:
        def answer(text: str, written: str, quote: str) -> Answer:
            said = habit(text, written, quote)
            rest = said.blocks if isinstance(said, Answer) else [said]
            return Answer([Think("Hm.", signature="sig"), *rest])

        return answer

    script = by_form(STORY, thinking(begin_again), **{works: thinking(obey)})
    llm = asking(serve(script), **THINKING)
    message = entrance(llm, "Hi")
    assert message.text == STORY
    assert ending(message) == ("model", True)
    assert forms_in(message)[-1] == works


def test_a_thought_before_the_seam_is_sent_with_each_form(
    serve: Serve, entrance: Entrance
) -> None:
    story = by_form(STORY, copy=begin_again)

    def answer(request: Request) -> Answer:
        said = story._answer(0, request)
        return Answer([Think("Hm.", signature="sig"), *said.blocks])

    bedrock = serve(Script(answer))
    message = entrance(asking(bedrock, **THINKING), "Hi")
    assert message.text == STORY
    for request in bedrock.requests[1:]:
        first = request.body["messages"][1]["content"][0]
        assert first["reasoningContent"]["reasoningText"]["signature"] == "sig"


def test_invoke_model_is_asked_again_too(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(by_form(STORY, copy=begin_again, last_line=echo_only))
    llm = continuing_chat_bedrock(bedrock, model=REFUSING_MODEL, max_tokens=SIZE)
    message = every_entrance(llm, "Hi")
    assert message.text == STORY
    assert ending(message) == ("model", True)
    check_forms(message, None, *ORDER)
    assert problems_in(message)[:4] == [None, "first_line", "nothing_new", None]


def test_a_restart_in_every_form_reaches_new_text_with_more_room(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(Script(STORY))  # it begins again at each request
    llm = asking(bedrock, max_tokens_ceiling=None)
    message = every_entrance(llm, "Hi")
    assert message.text == STORY
    assert ending(message) == ("model", True)
    sizes = [one["max_tokens"] for one in continuation(message)["segments"]]
    assert sizes[:5] == [SIZE] * 4 + [4 * SIZE]


def test_invoke_model_ends_without_progress_too(
    serve: Serve, every_entrance: Entrance
) -> None:
    bedrock = serve(by_form(STORY, begin_again))
    wrapped = chat_bedrock(bedrock, model=REFUSING_MODEL, max_tokens=SIZE)
    llm = ChatBedrockContinuing(llm=wrapped, max_tokens_ceiling=SIZE)
    message = every_entrance(llm, "Hi")
    assert ending(message) == ("no_progress", False)
    assert STORY.startswith(message.text)
    assert len(bedrock.requests) == 4
