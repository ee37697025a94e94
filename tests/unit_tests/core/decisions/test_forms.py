"""The rules FORM-1 to FORM-7."""

from collections.abc import Iterator

import pytest

from langchain_bedrock_continue._core.decisions.forms import (
    MAX_TRIES,
    ORDER,
    PROVEN_TURNS,
    Forms,
    forget_forms,
)
from langchain_bedrock_continue._core.decisions.vocabulary import Form, Problem


@pytest.fixture(autouse=True)
def _no_forms_remembered() -> Iterator[None]:
    forget_forms()
    yield
    forget_forms()


def tried(forms: Forms, problem: Problem = Problem.NOTHING_NEW) -> list[Form]:
    """Return the forms of one seam at which none works."""
    used = [forms.current]
    while forms.has_next:
        forms.use_next(problem)
        used.append(forms.current)
    return used


@pytest.mark.parametrize("callers", [False, True])
@pytest.mark.parametrize("remembered", [None, *ORDER])
def test_form_1_a_seam_is_asked_for_in_three_different_forms(
    remembered: Form | None, callers: bool
) -> None:
    if remembered is not None:
        remember("a", remembered)
    used = tried(Forms("a", callers=callers))
    assert len(used) == MAX_TRIES
    assert len(set(used)) == MAX_TRIES


def test_form_1_each_seam_has_all_tries() -> None:
    forms = Forms("a")
    tried(forms)
    forms.begin_seam()
    assert len(tried(forms)) == MAX_TRIES


def remember(model_id: str, form: Form) -> None:
    """Let a form work in turns where the ones before it did not."""
    for _ in range(PROVEN_TURNS):
        forms = Forms(model_id)
        work(forms, form)


def work(forms: Forms, form: Form) -> None:
    """Let a form work at a seam where the ones before it did not."""
    while forms.current is not form:
        forms.use_next(Problem.FIRST_LINE)
    forms.note_success(proven=True)


@pytest.mark.parametrize("form", ORDER[1:])
def test_form_2_the_form_that_worked_is_first_at_the_next_seam(form: Form) -> None:
    forms = Forms("a")
    work(forms, form)
    forms.begin_seam()
    assert forms.current is form
    assert sorted(tried(forms)) == sorted(ORDER)


@pytest.mark.parametrize("form", ORDER[1:])
def test_form_2_and_the_first_for_the_model_but_for_no_other(form: Form) -> None:
    remember("a", form)
    assert Forms("a").current is form
    assert Forms("b").current is ORDER[0]


def test_form_2_the_model_without_an_id_is_not_remembered() -> None:
    remember("", ORDER[1])
    assert Forms("").current is ORDER[0]


def test_form_2_a_success_of_the_first_form_forgets_the_other() -> None:
    remember("a", ORDER[1])
    forms = Forms("a")
    forms.use_next(Problem.FIRST_LINE)
    assert forms.current is ORDER[0]
    forms.note_success(proven=True)
    assert Forms("a").current is ORDER[0]


def test_form_2_one_turn_proves_too_little_however_many_seams_it_has() -> None:
    forms = Forms("a")
    for _ in range(2 * PROVEN_TURNS):
        work(forms, ORDER[1])
        forms.begin_seam()
        forms.current = ORDER[0]
    assert Forms("a").current is ORDER[0]


def test_form_2_the_turns_follow_one_another() -> None:
    for form in (ORDER[1], ORDER[0], ORDER[1], ORDER[2], ORDER[1]):
        work(Forms("a"), form)
        assert Forms("a").current is ORDER[0]
    work(Forms("a"), ORDER[1])
    assert Forms("a").current is ORDER[1]


def test_form_2_nothing_is_remembered_of_a_form_that_worked_at_once() -> None:
    remember("a", ORDER[2])
    forms = Forms("a", callers=True)
    forms.note_success(proven=True)
    assert Forms("a").current is ORDER[2]


def test_form_3_the_callers_prompt_is_always_first() -> None:
    remember("a", ORDER[1])
    assert Forms("a", callers=True).current is Form.CALLERS


def test_form_3_then_our_own_with_the_one_that_works() -> None:
    assert tried(Forms("a", callers=True)) == [Form.CALLERS, *ORDER[:2]]


def test_form_4_without_any_echo_the_turn_does_not_ask_for_one_again() -> None:
    forms = Forms("a")
    assert forms.needs_echo
    tried(forms, Problem.NO_ECHO)
    forms.begin_seam()
    assert not forms.needs_echo
    assert forms.has_next  # for any other reason


def test_form_4_the_last_form_needs_no_echo() -> None:
    forms = Forms("a")
    seen = [forms.needs_echo]
    while forms.has_next:
        forms.use_next(Problem.FIRST_LINE)
        seen.append(forms.needs_echo)
    assert seen == [True, True, False]


def test_form_4_is_of_the_turn_and_not_of_the_model() -> None:
    tried(Forms("a"), Problem.NO_ECHO)
    assert Forms("a").needs_echo


def test_form_2_what_is_not_known_to_go_on_is_not_remembered() -> None:
    forms = Forms("a")
    tried(forms, Problem.FIRST_LINE)
    forms.note_success(proven=False)
    assert Forms("a").current is ORDER[0]


def test_form_6_a_cycle_is_asked_for_in_one_other_form() -> None:
    forms = Forms("a")
    assert tried(forms, Problem.CYCLE) == list(ORDER[:2])
    forms.begin_seam()
    assert len(tried(forms)) == MAX_TRIES


@pytest.mark.parametrize("form", ORDER[1:])
def test_form_7_an_end_in_the_line_is_doubted_after_the_other_forms(form: Form) -> None:
    remember("a", form)
    forms = Forms("a")
    assert forms.current is form
    assert not forms.may_end_in_line
    forms.use_next(Problem.ENDED_IN_LINE)
    assert forms.current is ORDER[0]
    assert forms.may_end_in_line
    assert not forms.has_next
    forms.begin_seam()
    assert forms.has_next


@pytest.mark.parametrize("callers", [False, True])
def test_form_7_the_first_form_and_the_callers_are_clear(*, callers: bool) -> None:
    forms = Forms("a", callers=callers)
    assert forms.may_end_in_line
    assert forms.has_next


def test_form_7_the_last_form_is_not_doubted() -> None:
    forms = Forms("a")
    seen = [forms.may_end_in_line]
    while forms.has_next:
        forms.use_next(Problem.FIRST_LINE)
        seen.append(forms.may_end_in_line)
    assert seen == [True, False, True]
