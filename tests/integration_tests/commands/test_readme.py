"""The README is correct: its example runs and prints the output shown below it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

import langchain_bedrock_continue
from langchain_bedrock_continue import ChatBedrockContinuing, errors
from langchain_bedrock_continue._wrapped.construction import INHERITED
from langchain_bedrock_continue.local import (
    Answer,
    CallTool,
    Fault,
    FaultAt,
    Request,
    Script,
)
from tests.support.endpoint import Serve
from tests.support.models import PREFILL_MODEL, model, plain_model

TEXT = (
    "Rivers shape valleys. The water takes the stone away, grain by grain, and puts it "
    "down where it is slow: at the inside of a bend, and at the sea."
)

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "tests/seams/README.md"]


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


def test_the_example_is_within_the_first_50_lines() -> None:
    before, output = README.split("```text\n")[:2]
    assert before.count("\n") + output.partition("```")[0].count("\n") <= 50


def test_the_japanese_example_runs() -> None:
    (example,) = [code for code in blocks("python") if "HAIKU" in code]
    exec(example, {})  # noqa: S102 - our own README


class Report(BaseModel):
    """What the recipe for structured output asks for."""

    title: str


def said(request: Request) -> Answer:
    """Answer with the report if it is asked for, else with two segments of text."""
    tools = request.tool_config
    return Answer([CallTool("Report", {"title": "T"})] if tools else TEXT)


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_the_recipes_run(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    fails = iter([False, True])  # the second call of the recipe that resumes

    def failing(request: Request) -> Answer:
        error = Fault("exception", "ValidationException", "broken", 400)
        return Answer(
            TEXT, faults=[FaultAt(error, request=None)] if next(fails, False) else []
        )

    bedrock = serve(Script(said))
    given = {
        "llm": model(bedrock, max_tokens=20, model=PREFILL_MODEL),
        "other_model": plain_model(bedrock, max_tokens=20),
        "messages": "Hi",
        "tools": [],
        "Report": Report,
        **vars(langchain_bedrock_continue),
    }
    recipes = README.split("## Recipes")[1].split("\n## ")[0]
    found = re.findall(r"```python\n(.*?)```", recipes, re.DOTALL)
    assert len(found) >= 6
    for recipe in found:
        serve(Script(failing if "llm.resume" in recipe else said))
        exec(recipe, given)  # noqa: S102 - our own README
    assert "stored" in given
    assert given["message"].text == TEXT
    assert TEXT in capsys.readouterr().out


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


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_error_tree_is_that_of_the_module() -> None:
    drawn = [line.strip() for line in blocks("text")[1].splitlines()]
    assert errors.__doc__ is not None
    for line in drawn:
        assert line in errors.__doc__
    names = re.findall(r"(\w+Error)\b {2,}", blocks("text")[1])
    exported = {n for n in langchain_bedrock_continue.__all__ if n.endswith("Error")}
    assert set(names) == exported
