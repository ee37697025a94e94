"""`check`: the figures of a model, what it costs, and what it says if a call fails."""

import os
import re
from dataclasses import replace

import pytest

from langchain_bedrock_continue.__main__ import main
from langchain_bedrock_continue._check.measure import Measured, Measurement
from langchain_bedrock_continue._check.prompts import PROMPTS
from langchain_bedrock_continue._check.report import estimate, report
from langchain_bedrock_continue._check.well_formed import KINDS, Kind, well_formed
from langchain_bedrock_continue.local import Answer, Fault, FaultAt, Request, Script
from tests.support.scripts import texts_of

ANSWERS: dict[Kind, str] = {
    "prose": "A stick throws a shadow. It turns with the sun, and so it tells time.",
    "python": "```python\nclass Stack:\n    def pop(self):\n        return 1\n```",
    "json": '[{"name": "Nile", "length_km": 6650, "countries": ["Egypt", "Sudan"]}]',
    "table": "| Metal | Use | Price |\n|---|---|---|\n| Iron | steel | low |",
    "list": "1. Water them.\n2. Give them sun and wind.\n3. Tie them up.",
    "sql": "CREATE TABLE book (id INT, title TEXT);\nINSERT INTO book VALUES (1, 'A');",
    "html": "<html><body><h1>Hello</h1><ul><li>One</li></ul></body></html>",
    "japanese": "春には桜が咲きます。人々は花を見に出かけて、木の下で食事をします。",
}
KIND_OF = {prompt.text: prompt.kind for prompt in PROMPTS}


def obedient(request: Request) -> str:
    """Answer; in a user turn, repeat what it quotes of the answer, and go on."""
    texts = texts_of(request)
    answer = ANSWERS[KIND_OF[texts[0]]]
    if len(texts) < 3:
        return answer
    written, asked = texts[1].rstrip(), texts[-1]
    quote = next(written[at:] for at in range(len(written)) if written[at:] in asked)
    return quote + answer[len(written) :]


@pytest.fixture
def check(monkeypatch, serve, capsys):
    """Run `check` on a scripted model: its exit code, output and error output."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def run(said, *words):
        bedrock = serve(said)
        code = main(["check", "--endpoint", bedrock.endpoint_url, *words])
        return (code, *capsys.readouterr())

    return run


def rows(out: str) -> dict[str, list[str]]:
    """Return the cells of each row of the table."""
    lines = re.findall(r"^(prefill|user turn) +(.*)$", out, re.MULTILINE)
    return {name: cells.split() for name, cells in lines}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_prompt_and_a_whole_answer(kind):
    assert kind in KIND_OF.values()
    assert well_formed(kind, ANSWERS[kind])


def test_a_model_that_continues_exactly_is_natural_and_costs_nothing_extra(check):
    code, out, err = check(Script(obedient), "--max-tokens", "8")
    assert (code, err.splitlines()[-1]) == (0, "10 of 10 prompts")
    found = rows(out)
    same = ["0.00", "0.00"]
    assert found["prefill"][:7] == ["10", "-", *same, "-", "1.00", "0.00"]
    assert found["user turn"][:7] == ["10", "1.00", *same, "1.00", "1.00", "0.00"]
    assert all(int(number) > 0 for row in found.values() for number in row[7:])
    assert "natural compares the user turn with the prefill" in out
    assert "early (" not in out


def test_without_a_prefill_natural_is_a_dash_and_a_line_says_why(check, endpoint):
    """REPORT-2."""
    model = "us.anthropic.claude-sonnet-5"
    code, out, err = check(Script(obedient), "--max-tokens", "8", "--model", model)
    assert code == 0, err
    found = rows(out)
    assert set(found["prefill"]) == {"-"}
    assert found["user turn"][:3] == ["10", "-", "0.00"]
    assert "the model takes no prefill to compare with. It said: " in out
    assert "does not support assistant message prefill" in out
    assert len(endpoint[0].requests) == 10 + 1 + 10  # a prefill is tried once


def test_an_answer_that_is_not_truncated_is_not_counted(check):
    code, out, _ = check(Script(obedient), "--max-tokens", "500")
    assert code == 0
    assert rows(out) == {}
    assert "Not truncated at 500 tokens, so not counted: 10 of the answers." in out


def test_it_says_first_what_it_costs_and_a_dry_run_calls_nothing(check, endpoint):
    """REPORT-1."""
    code, out, _ = check(Script(obedient), "--dry-run", "--model", "some.model")
    assert (code, endpoint[0].requests) == (0, [])
    assert out.splitlines()[0].startswith("Checking some.model at http://127.0.0.1:")
    said = re.search(r"about ([\d,]+) input tokens and ([\d,]+) output tokens", out)
    assert said is not None
    assert estimate(len(PROMPTS), 64) in out
    assert len(out.splitlines()) == 2


FAULTS = {
    "AccessDeniedException": "Ask for access to the model",
    "ThrottlingException": "Try again later.",
    "ValidationException": "The provided model identifier is invalid. Give a Bedrock",
}


@pytest.mark.parametrize("code", FAULTS)
def test_an_error_is_one_clear_line(check, code):
    text = "The provided model identifier is invalid." if code[0] == "V" else "No."
    fault = Fault("exception", code, text, 400)
    exit_code, out, err = check(Answer("Hi", faults=[FaultAt(fault, at=0)]))
    assert exit_code == 1
    assert "10 prompts" in out
    assert err.startswith("error: ")
    assert code in err
    assert FAULTS[code] in err
    assert err.count("\n") == 1


def test_no_credentials_are_one_clear_line(check, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert main(["check", "--endpoint", "aws"]) == 1
    err = capsys.readouterr().err
    assert "Set AWS_REGION and AWS_PROFILE" in err
    assert err.count("\n") == 1


def test_weights_are_of_the_local_endpoint_only(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--endpoint", "aws", "--weights", "smollm2"])
    assert "only --endpoint local has weights" in capsys.readouterr().err


def test_the_demo_can_be_asked_the_question_check(serve, capsys):
    bedrock = serve("one two three four")
    words = ["--max-tokens", "2", "--endpoint", bedrock.endpoint_url, "--", "check"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "> check\n" in out
    assert "one two⟦seam 1⟧ three four" in out


# The report ----------------------------------------------------------------------


GOOD = Measured(
    strategy="user_turn",
    kind="list",
    natural=True,
    doubled=False,
    early="",
    echo=True,
    malformed="",
    extra_calls=0,
    input_tokens=100,
    output_tokens=50,
)


def test_the_table_has_shares_and_means_and_a_line_for_each_fault():
    some = [
        GOOD,
        replace(GOOD, natural=False, doubled=True, echo=False, extra_calls=1),
        replace(GOOD, natural=None, early="nothing new", malformed="open"),
        replace(GOOD, malformed="the columns differ", kind="table", input_tokens=200),
    ]
    text = report(Measurement(some), 64)
    assert rows(text)["user turn"] == (
        ["4", "0.67", "0.25", "0.25", "0.75", "0.50", "0.25", "125", "50"]
    )
    assert text.splitlines()[-3:] == [
        "user turn, list: doubled",
        "user turn, list: ended early (nothing new)",
        "user turn, table: the columns differ",
    ]


@pytest.mark.parametrize("max_tokens", [1, 64, 4096])
def test_an_estimate_is_never_above_its_maximum(max_tokens):
    numbers = re.findall(r"([\d,]+) output", estimate(10, max_tokens))
    about, most = (int(number.replace(",", "")) for number in numbers)
    assert 0 < about <= most
