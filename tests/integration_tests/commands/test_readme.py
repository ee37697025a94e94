"""The README is correct: its example runs and prints the output shown below it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import langchain_bedrock_continue
from langchain_bedrock_continue import ChatBedrockContinuing, errors
from langchain_bedrock_continue._wrapped.construction import INHERITED

README = (Path(__file__).parents[3] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.model
@pytest.mark.usefixtures("real_model")
def test_the_example_prints_the_output_below_it() -> None:
    ran = subprocess.run(  # noqa: S603 - our own README
        [sys.executable, "-c", blocks("python")[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == blocks("text")[0]
    assert ran.stderr == ""


def test_the_example_is_within_the_first_30_lines() -> None:
    before, output = README.split("```text\n")[:2]
    assert before.count("\n") + output.partition("```")[0].count("\n") <= 30


def test_the_example_of_a_test_runs() -> None:
    (example,) = [code for code in blocks("python") if "def test_" in code]
    namespace: dict[str, object] = {}
    exec(example, namespace)  # noqa: S102 - our own README
    (test,) = [value for name, value in namespace.items() if name.startswith("test_")]
    assert callable(test)
    test()


def test_the_table_of_fields_has_every_field_with_its_default() -> None:
    fields = ChatBedrockContinuing.model_fields
    for name in fields.keys() - INHERITED - {"llm"}:
        default = str(fields[name].default)
        if name == "continuation_prompt":
            default = "built in"
        row = re.search(
            rf"^\| `{name}` \| `?\"?{re.escape(default)}\"?`? \|", README, re.MULTILINE
        )
        assert row, name


def test_the_error_tree_is_that_of_the_module() -> None:
    drawn = [line.strip() for line in blocks("text")[1].splitlines()]
    assert errors.__doc__ is not None
    for line in drawn:
        assert line in errors.__doc__
    names = re.findall(r"(\w+Error)\b {2,}", blocks("text")[1])
    exported = {n for n in langchain_bedrock_continue.__all__ if n.endswith("Error")}
    assert set(names) == exported
