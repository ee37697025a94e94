"""A small part of `make seams-real`: a few seams of the real small model."""

import pytest

from langchain_bedrock_continue._check import figures
from tests.benchmarks.real_answers import Answers, Question
from tests.benchmarks.real_seams import seam_table, seams
from tests.benchmarks.real_turns import turn_table, turns
from tests.benchmarks.wordings import WORDINGS

pytestmark = pytest.mark.model

QUESTION = Question("prose", "Why does bread rise? Explain it in a few sentences.")
SIZE = 32
NAMES = ["package", "where-left"]


@pytest.fixture(scope="module")
def answers(real_model):
    return Answers(real_model, 200)


def test_a_prefill_is_natural_at_every_seam_and_byte_identical(real_model, answers):
    (turn,) = turns(real_model, answers, QUESTION, [SIZE], ["prefill"])
    assert turn.text == turn.uncut
    assert len(turn.seams) == turn.calls - 1 > 0
    assert all(seam.natural and not seam.doubled for seam in turn.seams)
    assert (turn.complete, turn.early, turn.extra_calls) == (True, "", 0)
    assert "1.00" in turn_table([turn])


def test_every_wording_is_measured_at_the_same_cut(real_model, answers):
    wordings = [WORDINGS[name] for name in NAMES]
    found = list(seams(real_model, answers, [QUESTION], wordings, sizes=[SIZE], each=1))
    uncut = answers.uncut(QUESTION.prompt).text
    assert [seam.wording for seam in found] == NAMES
    (at,) = {seam.at for seam in found}
    border = len(uncut[:at].rstrip())
    for seam in found:
        is_natural = figures.natural(uncut[:at], seam.after, uncut[border:])
        assert seam.natural == is_natural
        assert seam.empty == (not seam.after.strip())
    table = seam_table(found, NAMES).splitlines()
    assert [line.split()[:2] for line in table[1:]] == [[name, "1"] for name in NAMES]
