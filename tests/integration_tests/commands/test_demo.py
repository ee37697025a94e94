"""The demo and the local command, as users run them."""

import io
import os
import re
import signal
import subprocess
import sys
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_aws import ChatBedrockConverse

from langchain_bedrock_continue.__main__ import _words as words
from langchain_bedrock_continue.__main__ import main
from langchain_bedrock_continue._demo import Page, one_line, table
from langchain_bedrock_continue._endpoint import MODEL
from langchain_bedrock_continue.local import LocalBedrock, Script
from langchain_bedrock_continue.local import __main__ as local_command

QUESTION = "Why does bread rise? Explain it in a few sentences."
MARK = re.compile(r"⟦seam \d+⟧")
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONUTF8": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
}
"""The environment of a command: no AWS settings of this machine."""


@pytest.fixture
def bare_environment(monkeypatch):
    """Give a command in this process the environment of a new machine."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def run(*words: str, module: str = "langchain_bedrock_continue") -> Any:
    return subprocess.run(  # noqa: S603 - the arguments are this file's
        [sys.executable, "-m", module, *words],
        env=ENVIRONMENT | _cache(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _cache() -> dict[str, str]:
    names = ("HOME", "XDG_CACHE_HOME", "LANGCHAIN_BEDROCK_CONTINUE_CACHE")
    return {name: os.environ[name] for name in names if name in os.environ}


def answer_and_rows(stdout: str) -> tuple[str, list[list[str]]]:
    """Return the answer, and the cells of the table."""
    _, _, rest = stdout.partition(f"> {QUESTION}\n\n")
    answer, _, rows = rest.partition("\n\n segment  ")
    lines = rows.partition("\n\n")[0].splitlines()
    return answer, [line.split() for line in lines[1:]]


# The demo ------------------------------------------------------------------------


@pytest.mark.model
def test_the_demo_shows_the_full_answer_and_its_seams(real_model):
    """DEMO-1, DEMO-2."""
    llm = ChatBedrockConverse(
        model=MODEL, max_tokens=300, temperature=0, **real_model.client_kwargs()
    )
    full_answer = llm.invoke(QUESTION)
    done = run(QUESTION, "--max-tokens", "16")
    assert (done.stderr, done.returncode) == ("", 0)
    answer, rows = answer_and_rows(done.stdout)
    assert MARK.sub("", answer) == full_answer.text
    *segments, billed, response = rows
    assert len(segments) == len(MARK.findall(answer)) + 1 > 2
    assert [row[0] for row in segments] == [str(n + 1) for n in range(len(segments))]
    sums = [sum(int(row[column]) for row in segments) for column in (2, 3)]
    assert billed[:3] == ["billed", *map(str, sums)]
    assert response[:3] == ["response", segments[0][2], str(sums[1])]
    assert done.stdout.endswith(
        f"The answer is complete: the model ended it in segment {len(segments)}.\n"
    )


@pytest.mark.usefixtures("bare_environment")
def test_the_demo_uses_any_endpoint(capsys):
    with LocalBedrock(Script("one two three four")) as scripted:
        url = scripted.endpoint_url
        assert main(["Go?", "--endpoint", url, "--max-tokens", "2"]) == 0
    assert "\none two⟦seam 1⟧ three four⟦seam 2⟧\n" in capsys.readouterr().out


@pytest.mark.usefixtures("bare_environment")
def test_a_partial_answer_is_shown_before_the_error(capsys):
    with LocalBedrock(Script("one two three four")) as scripted:
        words = ["--endpoint", scripted.endpoint_url, "--max-tokens", "2"]
        words += ["--strategy", "prefill"]
        code = main(["Go?", *words, "--model", "us.anthropic.claude-sonnet-5"])
    out, err = capsys.readouterr()
    assert code == 1
    assert "\none two⟦seam 1⟧\n" in out
    assert "       2  -                   -       -           2  -\n" in out
    assert "The answer is incomplete: an error ended it in segment 2.\n" in out
    assert err.startswith("error: PrefillRefusedError: ")
    assert err.count("\n") == 1


# The extra -----------------------------------------------------------------------

WITHOUT_EXTRA = """
import sys
sys.modules["uvicorn"] = None
from langchain_bedrock_continue.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("endpoint", "error"),
    [
        ("aws", "error: NoCredentialsError: Unable to locate"),
        ("http://127.0.0.1:9", "error: EndpointConnectionError: Could not connect"),
        (
            "local",
            "error: ImportError: langchain_bedrock_continue.local needs its extra",
        ),
    ],
)
def test_only_the_local_endpoint_needs_the_extra(endpoint, error):
    done = subprocess.run(  # noqa: S603 - the code is this file's
        [sys.executable, "-c", WITHOUT_EXTRA, "Hi", "--endpoint", endpoint],
        env=ENVIRONMENT | _cache() | {"AWS_REGION": "us-east-1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(error)


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["fetch", "-h"]])
def test_the_local_command_prints_its_help_without_the_extra(
    words: list[str],
) -> None:
    done = _local_without_extra(words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m langchain_bedrock_continue.local")


@pytest.mark.parametrize("words", [["serve"], ["fetch"]])
def test_the_local_command_says_what_to_install(words: list[str]) -> None:
    done = _local_without_extra(words)
    assert done.returncode == 1
    said = "error: ImportError: langchain_bedrock_continue.local needs its extra"
    assert done.stderr.startswith(said)


def _local_without_extra(words: list[str]) -> Any:
    code = WITHOUT_EXTRA.replace("continue.__main__", "continue.local.__main__")
    return subprocess.run(  # noqa: S603 - the code is this file's
        [sys.executable, "-c", code, *words],
        env=ENVIRONMENT | _cache(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


# A notebook ------------------------------------------------------------------------


class NotebookOutput(io.StringIO):
    """Like a notebook's sys.stdout, which cannot be reconfigured."""


def test_main_runs_in_a_notebook(monkeypatch):
    kernel = ["/x/ipykernel_launcher.py", "-f", "/x/kernel.json"]
    monkeypatch.setattr(sys, "argv", kernel)
    monkeypatch.setattr(sys, "stdout", output := NotebookOutput())
    with LocalBedrock(Script("It was late, and all lay still. " * 3)) as bedrock:
        url = bedrock.endpoint_url
        assert main(["Hi", "--endpoint", url, "--max-tokens", "9"]) == 0
    assert "The answer is complete" in output.getvalue()
    assert words(None) == []  # not those of the kernel


# Errors --------------------------------------------------------------------------

ERRORS = {
    "endpoint": (["--endpoint", "loca"], 2, "--endpoint: 'loca' is not an endpoint"),
    "max_tokens": (
        ["--endpoint", "http://127.0.0.1:9", "--max-tokens", "0"],
        2,
        "argument --max-tokens: '0' is not a positive number",
    ),
    "unreachable": (
        ["--endpoint", "http://127.0.0.1:9"],
        1,
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/',
    ),
    "no region": (["--endpoint", "aws"], 1, "Set AWS_REGION and AWS_PROFILE"),
    "weights elsewhere": (
        ["--endpoint", "aws", "--weights", "smollm2"],
        2,
        "--weights: only --endpoint local has weights",
    ),
    "weights": (["--weights", "smoll"], 1, "error: weights='smoll': no such file"),
}


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize(("words", "code", "line"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_and_an_exit_code(words, code, line, capsys):
    """DEMO-3."""
    with pytest.raises(SystemExit) as exited:
        sys.exit(main(["Hi", *words]))  # argparse exits by itself
    err = capsys.readouterr().err
    assert exited.value.code == code
    assert line in err.splitlines()[-1]
    assert code == 2 or err.count("\n") == 1


@pytest.mark.usefixtures("bare_environment")
def test_an_unknown_model_is_one_line_and_an_exit_code(capsys):
    with LocalBedrock(Script("Hi")) as scripted:
        code = main(["Hi", "--endpoint", scripted.endpoint_url, "--model", "nosuch"])
    err = capsys.readouterr().err
    assert code == 1
    assert "The provided model identifier is invalid. Give a Bedrock model" in err
    assert err.count("\n") == 1


def test_missing_credentials_are_one_line_and_an_exit_code(monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "AWS_REGION", "us-east-1")
    done = run("Hi", "--endpoint", "aws")
    assert done.returncode == 1
    assert done.stderr.startswith("error: NoCredentialsError: Unable to locate")
    assert done.stderr.endswith("The local endpoint needs none of them.\n")
    assert done.stderr.count("\n") == 1


# Layout --------------------------------------------------------------------------


@given(st.lists(st.text("ab \n", max_size=12)), st.none() | st.integers(10, 30))
def test_a_page_keeps_the_text(texts, width):
    """DEMO-1."""
    page = Page(width=width)
    laid_out = "".join(page.text(text) for text in texts)
    full_text = "".join(texts)
    if width is None:
        assert laid_out == full_text
    assert laid_out.split() == full_text.split()


@given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1))
def test_a_page_is_never_wider_than_the_terminal(words):
    page = Page(width=24)
    laid_out = page.text(words[0])
    for word in words[1:]:
        laid_out += page.mark({"type": "seam"}) + page.text(" " + word)
    assert max(map(len, laid_out.splitlines())) <= 24
    assert MARK.sub("", laid_out).split() == words


def test_a_mark_is_coloured_only_if_colour_is_on():
    seam = {"type": "seam"}
    assert Page().mark(seam) == "⟦seam 1⟧"
    assert Page(colour=True).mark(seam) == "\x1b[1;36m⟦seam 1⟧\x1b[0m"


def test_a_table_shows_unknown_values_as_a_dash():
    segment = dict.fromkeys(
        ("stop_reason", "input_tokens", "output_tokens", "max_tokens", "request_id")
    )
    text = table(
        {
            "segments": [segment],
            "billed": None,
            "response": None,
            "complete": False,
            "ended_by": "error",
        }
    )
    assert text.splitlines()[1].split() == ["1", "-", "-", "-", "-", "-"]


def test_an_error_of_several_lines_becomes_one_line():
    assert one_line(KeyError("x")) == "KeyError: 'x'."
    assert one_line(ValueError("first\n  second.")) == "first second."


# The local endpoint as a command -------------------------------------------------


@pytest.fixture
def _interruptible():
    """Let a command react to SIGINT, even if the tests run in the background.

    A shell makes what it runs in the background ignore SIGINT, and a process passes
    that on to its child processes.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize(
    "module", ["langchain_bedrock_continue", "langchain_bedrock_continue.local"]
)
def test_serve_prints_the_settings_for_boto3(module, tmp_path):
    script = tmp_path / "answer.txt"
    script.write_text("one two three\n")
    command = [sys.executable, "-m", module, "serve", "--script", str(script)]
    with subprocess.Popen(  # noqa: S603 - the arguments are this file's
        command, env=ENVIRONMENT | _cache(), stdout=subprocess.PIPE, encoding="utf-8"
    ) as serving:
        assert serving.stdout is not None
        try:
            lines = [serving.stdout.readline() for _ in range(6)]
            exports = dict(re.findall(r"(AWS_\w+)=(\S+)", "".join(lines)))
            with pytest.MonkeyPatch.context() as patch:
                for name, value in exports.items():
                    patch.setenv(name, value)
                reply = boto3.client("bedrock-runtime").converse(
                    modelId=MODEL,
                    messages=[{"role": "user", "content": [{"text": "Hi"}]}],
                    inferenceConfig={"maxTokens": 2},
                )
        finally:
            serving.send_signal(signal.SIGINT)
    assert reply["output"]["message"]["content"] == [{"text": "one two"}]
    assert serving.returncode == 0


@pytest.mark.model
@pytest.mark.usefixtures("real_model")
def test_fetch_prints_the_path_of_the_weights(capsys):
    assert local_command.main(["fetch"]) == 0
    assert capsys.readouterr().out.endswith(".gguf\n")


def test_unknown_weights_of_serve_are_one_line(capsys):
    assert local_command.main(["serve", "--weights", "smoll"]) == 1
    assert capsys.readouterr().err.startswith("error: weights='smoll': no such file")
