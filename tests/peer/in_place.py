"""A pytest plugin: puts ChatBedrockContinuing in place of langchain-aws's classes.

- A test module imports ours under the names of langchain-aws's classes. Only its own
  import is changed: langchain-aws itself uses its own classes.
- In place of ChatBedrockConverse stands ChatBedrockContinuing itself, which takes the
  same arguments. In place of ChatBedrock stands what wraps one with the same arguments
  in a ChatBedrockContinuing.
- Of the integration tests, those with a recording run, offline. The document that one
  of them downloads is taken from its recording.

It runs in a process of its own, in which the package `tests` is langchain-aws's. So it
imports nothing of this folder.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import langchain_aws
import langchain_aws.chat_models
import langchain_aws.chat_models.bedrock as invoke_model
import langchain_aws.chat_models.bedrock_converse as converse
import pytest
from langchain_aws import ChatBedrock
from langchain_tests.conftest import CustomSerializer

from langchain_bedrock_continue import ChatBedrockContinuing

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

RECORDING = "vcr"
"""The marker of a test with a recording."""

WITH_DOCUMENT = Path("tests", "cassettes", "test_pdf_citations.yaml.gz")


class Wrapping:
    """Stands in place of ChatBedrock: wraps one with the same arguments.

    A test may patch the class. Then `unittest.mock` deletes what it has set, to uncover
    the attribute of a parent class, which here is ChatBedrock's own.
    """

    def __init__(self) -> None:
        vars(self)["patched"] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> ChatBedrockContinuing:
        return ChatBedrockContinuing(llm=ChatBedrock(*args, **kwargs))

    def __instancecheck__(self, other: object) -> bool:
        return isinstance(other, ChatBedrock)

    def __getattr__(self, name: str) -> Any:
        return getattr(ChatBedrock, name)

    def __setattr__(self, name: str, value: object) -> None:
        vars(self)["patched"].setdefault(name, vars(ChatBedrock)[name])
        setattr(ChatBedrock, name, value)

    def __delattr__(self, name: str) -> None:
        setattr(ChatBedrock, name, vars(self)["patched"].pop(name))


IN_PLACE: dict[str, Any] = {
    "ChatBedrockConverse": ChatBedrockContinuing,
    "ChatBedrock": Wrapping(),
}
PUBLIC_MODULES = (langchain_aws, langchain_aws.chat_models, converse, invoke_model)


@contextmanager
def put_in_place() -> Iterator[None]:
    """Put ours in place, for the import of a test module."""
    with ExitStack() as stack:
        for module in PUBLIC_MODULES:
            for name, ours in IN_PLACE.items():
                if hasattr(module, name):
                    stack.enter_context(mock.patch.object(module, name, ours))
        stack.enter_context(mock.patch.object(httpx, "get", recorded_document))
        yield


def recorded_document(_url: str) -> SimpleNamespace:
    """Return what the module of the recordings downloads."""
    recording = CustomSerializer.deserialize(WITH_DOCUMENT.read_bytes())
    request = json.loads(recording["requests"][0].body)
    blocks = request["messages"][0]["content"]
    document = next(block["document"] for block in blocks if "document" in block)
    return SimpleNamespace(content=base64.b64decode(document["source"]["bytes"]))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Put ours in place while a module is imported."""
    if not isinstance(collector, pytest.Module) or collector.config.getoption("bare"):
        return (yield)
    with put_in_place():
        return (yield)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the integration tests that have no recording."""
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        needs_aws = "integration_tests" in item.path.parts
        recorded = item.get_closest_marker(RECORDING) is not None
        (left_out if needs_aws and not recorded else kept).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


class Results:
    """Writes a line for each test: its id, its outcome and its error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failed: dict[str, str] = {}
        self._recorded: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the tests that have a recording."""
        marked = (i for i in session.items if i.get_closest_marker(RECORDING))
        self._recorded = {item.nodeid for item in marked}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Report a module that cannot be imported."""
        if report.failed:
            self._write(report.nodeid, "failed", _error_of(report))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Report a test when it is over."""
        name = report.nodeid
        if report.failed:
            self._failed.setdefault(name, _error_of(report))
        if report.when == "call" and report.skipped:
            self._write(name, "xfailed" if hasattr(report, "wasxfail") else "skipped")
        elif report.when == "setup" and report.skipped:
            self._write(name, "skipped")
        elif report.when == "teardown" and name in self._failed:
            self._write(name, "failed", self._failed[name])
        elif report.when == "call" and report.passed:
            self._write(name, "passed")

    def _write(self, name: str, outcome: str, error: str = "") -> None:
        is_recording = name in self._recorded
        line = {"test": name, "outcome": outcome, "error": error}
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({**line, "recording": is_recording}) + "\n")


def _error_of(report: pytest.CollectReport | pytest.TestReport) -> str:
    """Return the last line of a report's error."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else crash.message
    return next(iter(text.strip().splitlines()), "")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    parser.addoption("--results", type=Path, help="the file for the results")
    parser.addoption("--bare", action="store_true", help="put nothing in place")


def pytest_configure(config: pytest.Config) -> None:
    """Report the results to their file."""
    config.pluginmanager.register(Results(config.getoption("results")))
