"""A model is sent to worker processes, which make its client anew."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from langchain_aws import ChatBedrock, ChatBedrockConverse

from langchain_bedrock_continue import ChatBedrockContinuing
from tests.support.endpoint import Serve
from tests.support.models import PREFILL_MODEL
from tests.support.workers import PIECE, answering, answers_of, text_for, write_piece

PROMPTS = [f"Town {number}" for number in range(10)]
SIZE = 12


SPAWN = get_context("spawn")
"""Workers that share no memory with this process."""


def test_prompts_are_mapped_over_workers_and_resumed_after_one_was_killed(
    serve: Serve, tmp_path: Path
) -> None:
    bedrock = serve(answering())
    llm = ChatBedrockContinuing(
        model=PREFILL_MODEL,
        max_tokens=SIZE,
        max_continuations=PIECE,
        **bedrock.client_kwargs(),
    )
    fatal = tmp_path / "fatal"
    fatal.write_text(PROMPTS[3])
    workers = iter([2, 1])  # a new pool, after one was broken
    answers = answers_of(
        llm, PROMPTS, fatal, lambda: ProcessPoolExecutor(next(workers), SPAWN)
    )
    assert next(workers, None) is None
    assert not fatal.exists()  # a worker was killed
    assert {prompt: answers[prompt].text for prompt in PROMPTS} == {
        prompt: text_for(prompt) for prompt in PROMPTS
    }


def test_a_thousand_prompts_are_mapped_over_a_dask_cluster(
    serve: Serve, tmp_path: Path
) -> None:
    """Dask runs the tasks of a killed worker on another one by itself."""
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed: pip install distributed"
    )
    bedrock = serve(answering())
    inner: Any = ChatBedrock(
        model=PREFILL_MODEL, max_tokens=SIZE * 2, **bedrock.client_kwargs()
    )
    llm = ChatBedrockContinuing(llm=inner)
    prompts = [f"Town {number}" for number in range(1_000)]
    fatal = tmp_path / "fatal"
    fatal.write_text(prompts[500])
    begun = llm.model_copy(update={"max_continuations": 0})
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=4, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as dask,
    ):
        written = dask.map(begun.invoke, prompts)
        resumed = dask.map(
            lambda prompt, partial: write_piece(llm, prompt, partial, fatal),
            prompts,
            written,
        )
        answers = dask.gather(resumed)
    assert not fatal.exists()  # a worker was killed
    assert [answer.text for answer in answers] == [*map(text_for, prompts)]


@pytest.mark.parametrize("kind", [ChatBedrockConverse, ChatBedrock])
async def test_a_model_that_was_sent_makes_the_same_requests(
    serve: Serve, kind: type[Any]
) -> None:
    bedrock = serve(answering())
    inner = kind(model=PREFILL_MODEL, max_tokens=SIZE, **bedrock.client_kwargs())
    llm = ChatBedrockContinuing(llm=inner)
    sent = pickle.loads(pickle.dumps(llm))  # noqa: S301 - our own bytes
    message = await llm.ainvoke(PROMPTS[0])
    bodies = [request.body for request in bedrock.requests]
    bedrock.clear()
    again = await sent.ainvoke(PROMPTS[0])
    assert [request.body for request in bedrock.requests] == bodies
    assert again.content == message.content
    assert again.text == text_for(PROMPTS[0])


def test_headers_of_the_caller_are_sent_by_the_new_client_too(serve: Serve) -> None:
    bedrock = serve("Hi.")
    headers = {"x-team": "search"}
    llm = ChatBedrockContinuing(
        model=PREFILL_MODEL, default_headers=headers, **bedrock.client_kwargs()
    )
    sent = pickle.loads(pickle.dumps(llm))  # noqa: S301 - our own bytes
    found: list[str | None] = []
    sent.client.meta.events.register(
        "before-send.bedrock-runtime.Converse",
        lambda request, **_: found.append(request.headers.get("x-team")),
    )
    sent.invoke("Q")
    assert found == ["search"]
