"""Answers written by worker processes, piece by piece: one of them may be killed."""

import os
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage

from langchain_bedrock_continue import ChatBedrockContinuing
from langchain_bedrock_continue.local import Answer, Request, Script
from tests.support.messages import continuation
from tests.support.scripts import rest_of, turn_of

PIECE = 1
"""How many continuations a task makes: what is lost with a worker is at most that."""


def text_for(prompt: str) -> str:
    """Return the answer to a prompt: about fifty tokens."""
    return " ".join(f"{prompt} has the part {number}." for number in range(8))


def answering() -> Script:
    """Make a model that answers each prompt with its own text."""

    def answered(request: Request) -> Answer:
        return rest_of(Answer(text_for(turn_of(request)[0])), request)

    return Script(answered)


def is_complete(answer: AIMessage | None) -> bool:
    """Return True for an answer that needs no further task."""
    return answer is not None and bool(continuation(answer)["complete"])


def write_piece(
    llm: ChatBedrockContinuing, prompt: str, partial: AIMessage | None, fatal: Path
) -> AIMessage:
    """Begin an answer, or resume it: what a worker does.

    Args:
        llm: The model, which came to this process as a pickle.
        prompt: The question.
        partial: What other tasks have written of the answer, in any process.
        fatal: A file with a prompt. It kills the first worker that resumes the answer.
    """
    if partial is None:
        return llm.invoke(prompt)
    if fatal.exists() and fatal.read_text() == prompt:
        fatal.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return llm.resume(prompt, partial)


def answers_of(
    llm: ChatBedrockContinuing,
    prompts: Iterable[str],
    fatal: Path,
    new_pool: Callable[[], Executor],
) -> dict[str, Any]:
    """Map prompts over workers, and go on with new ones if a worker is killed.

    Returns:
        The complete answers.
    """
    answers: dict[str, Any] = dict.fromkeys(prompts)
    while not all(map(is_complete, answers.values())):
        with new_pool() as pool, suppress(BrokenProcessPool):
            _go_on(llm, answers, fatal, pool)
    return answers


def _go_on(
    llm: ChatBedrockContinuing, answers: dict[str, Any], fatal: Path, pool: Executor
) -> None:
    """Let a pool write a piece of each incomplete answer, until all are complete."""
    while left := [prompt for prompt in answers if not is_complete(answers[prompt])]:
        tasks = {
            prompt: pool.submit(write_piece, llm, prompt, answers[prompt], fatal)
            for prompt in left
        }
        for prompt, task in tasks.items():
            answers[prompt] = task.result()
