"""What is no answer, no content or no backend is refused where it is made."""

from typing import Any

import pytest

from langchain_bedrock_continue.local import Answer, LocalBedrock, Say, Script


@pytest.mark.parametrize(
    "content", [5, None, {"text": "Hi"}, [{"text": "Hi"}], ["Hi", 5], [["Hi"]], b"Hi"]
)
def test_what_is_no_content_is_refused(content: Any) -> None:
    with pytest.raises(TypeError, match=r"is not content\. Give a string, a Say"):
        Answer(content)


@pytest.mark.parametrize(
    "answers", [5, None, {"a": "Hi"}, [{"text": "Hi"}], ["Hi", 5], [Say("Hi")], b"Hi"]
)
def test_what_is_no_answer_is_refused(answers: Any) -> None:
    with pytest.raises(TypeError, match=r"is not an answer\. Give a string"):
        Script(answers)


@pytest.mark.parametrize("backend", ["Hi", Answer("Hi"), 5, ["Hi"], Script])
def test_what_is_no_backend_is_refused(backend: Any) -> None:
    with pytest.raises(TypeError, match=r"Did you mean LocalBedrock\(Script"):
        LocalBedrock(backend)


def test_content_answers_and_backends_are_accepted() -> None:
    answers: list[Any] = [
        "Hi",
        Answer("Hi"),
        Answer(Say("Hi")),
        Answer(("Hi", Say("there"))),
    ]
    for one in (*answers, answers, tuple(answers), lambda request: "Hi"):
        LocalBedrock(Script(one))
