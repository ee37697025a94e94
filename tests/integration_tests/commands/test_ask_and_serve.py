"""The commands `ask` and `serve`: what they write, and how they fail."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_bedrock_continue.__main__ import main
from langchain_bedrock_continue.local import LocalBedrock, Script
from langchain_bedrock_continue.local.script.file import load_script
from tests.support.boto3_requests import HI
from tests.support.models import PREFILL_MODEL

TEXT = "one two three four five six seven"


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


# ask ----------------------------------------------------------------------------------


def test_ask_writes_the_answer_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with LocalBedrock(Script(TEXT)) as bedrock:
        words = ["--endpoint", bedrock.endpoint_url, "--max-tokens", "3"]
        assert main(["ask", "Count.", "--system", "Be brief.", *words]) == 0
        assert capsys.readouterr() == (f"{TEXT}\n", "")
        body = bedrock.requests[0].body
    assert body["system"] == [{"text": "Be brief."}]
    assert body["messages"] == [{"role": "user", "content": [{"text": "Count."}]}]


def test_ask_reads_standard_input_and_shows_its_progress_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdin", Stream("Count.\nSlowly.\n"))
    monkeypatch.setattr(sys, "stdout", out := Stream())
    monkeypatch.setattr(sys, "stderr", err := Stream(terminal=True))
    with LocalBedrock(Script(TEXT)) as bedrock:
        words = ["--endpoint", bedrock.endpoint_url, "--max-tokens", "3"]
        assert main(["ask", "-", *words]) == 0
        asked = bedrock.requests[0].body["messages"][0]["content"]
    assert asked == [{"text": "Count.\nSlowly.\n"}]
    assert out.getvalue() == f"{TEXT}\n"
    assert "3 segments" in err.getvalue()


def test_an_incomplete_answer_of_ask_is_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loop = "the same words again and again and again. "
    with LocalBedrock(Script(loop * 500)) as bedrock:
        words = ["--endpoint", bedrock.endpoint_url, "--max-tokens", "1000"]
        assert main(["ask", "Go on.", *words]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(loop)
    assert err.startswith("error: TurnLimitError: ")
    assert err.count("\n") == 1


# Errors -------------------------------------------------------------------------------

Made = Callable[[Path], list[str]]


def script(text: str, name: str = "answers.json") -> Made:
    """Return the words of `serve` with a script of this text."""

    def made(folder: Path) -> list[str]:
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return ["serve", "--script", str(path)]

    return made


ERRORS: dict[str, tuple[list[str] | Made, int, str]] = {
    "a misspelled command": (["sreve"], 2, "Did you mean 'serve'? To ask"),
    "no question": (["ask"], 2, "arguments are required: question"),
    "an empty question": (["ask", " "], 1, "error: the question is empty."),
    "a bad number": (["ask", "x", "--max-tokens", "x"], 2, "'x' is not a positive"),
    "a bad port": (["serve", "--port", "65536"], 2, "'65536' is not a port"),
    "unknown weights": (["serve", "--weights", "smoll"], 1, "weights='smoll': no such"),
    "two models": (
        ["serve", "--weights", "smollm2", "--script", "x"],
        2,
        "--script: not allowed with argument --weights",
    ),
    "no script": (["serve", "--script", "/nosuch"], 1, "No such file or directory"),
    "no JSON": (script("{"), 1, "answers.json: not JSON: Expecting property name"),
    "no list": (script("{}"), 1, "answers.json: give a list of answers"),
    "no content": (script('["a", {}]'), 1, "answer 2: give a string, or an object"),
    "an unknown key": (
        script('[{"content": [], "stop": 1}]'),
        1,
        "answer 1: unknown 'stop'; known: content, stopReason, delay, firstDelay",
    ),
    "a bad delay": (
        script('[{"content": [], "delay": "1"}]'),
        1,
        "answer 1: delays are numbers of seconds",
    ),
    "an unknown block": (
        script('[{"content": [{"image": {}}]}]'),
        1,
        'answer 1: {"image": {}} is not a block of text, toolUse or',
    ),
}


@pytest.mark.parametrize(("words", "code", "line"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_and_an_exit_code(
    words: Any,
    code: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    with pytest.raises(SystemExit) as exited:
        sys.exit(main(words if isinstance(words, list) else words(tmp_path)))
    err = capsys.readouterr().err
    assert exited.value.code == code
    assert line in err.splitlines()[-1]
    assert code == 2 or err.count("\n") == 1


# Scripts ------------------------------------------------------------------------------


def test_a_script_of_json_has_the_blocks_of_converse(tmp_path: Path) -> None:
    """FILE-2: what is written as an answer comes back as the response's content."""
    reasoning = {"reasoningContent": {"reasoningText": {"text": "I add them."}}}
    tool = {"toolUse": {"name": "add", "input": {"a": 1}, "toolUseId": "tool-1"}}
    answers = [
        {"content": [{"text": "I add."}, tool], "firstDelay": 0.01, "delay": 0},
        {"content": [reasoning, {"text": "é"}], "stopReason": "stop_sequence"},
        "Bye.",
    ]
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(answers), encoding="utf-8")
    with LocalBedrock(load_script(path)) as bedrock:
        replies = _replies(bedrock, turns=4)
    assert replies[0] == ("tool_use", [{"text": "I add."}, tool])
    assert replies[1][0] == "stop_sequence"
    thought, text = replies[1][1]
    del thought["reasoningContent"]["reasoningText"]["signature"]
    assert (thought, text) == (reasoning, {"text": "é"})
    assert replies[2:] == [("end_turn", [{"text": "Bye."}])] * 2


def test_a_script_of_text_is_every_answer(tmp_path: Path) -> None:
    """FILE-1."""
    path = tmp_path / "answer.txt"
    path.write_text("One.\n\nTwo.\n", encoding="utf-8")
    with LocalBedrock(load_script(path)) as bedrock:
        replies = _replies(bedrock, turns=2)
    assert replies == [("end_turn", [{"text": "One.\n\nTwo."}])] * 2


def _replies(bedrock: LocalBedrock, turns: int) -> list[tuple[str, Any]]:
    """Return the stop reason and the content of each turn of a conversation."""
    client = bedrock.boto3_client()
    messages: list[Any] = [*HI]
    replies = []
    for _ in range(turns):
        reply = client.converse(
            modelId=PREFILL_MODEL,
            messages=messages,
            toolConfig={
                "tools": [
                    {"toolSpec": {"name": "add", "inputSchema": {"json": {}}}},
                ]
            },
        )
        replies.append((reply["stopReason"], reply["output"]["message"]["content"]))
        results = [
            {"toolResult": {"toolUseId": "tool-1", "content": [{"text": "1"}]}}
            for block in replies[-1][1]
            if "toolUse" in block
        ]
        messages += [
            {"role": "assistant", "content": replies[-1][1]},
            {"role": "user", "content": results or [{"text": "And then?"}]},
        ]
    client.close()
    return replies
