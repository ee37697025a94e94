"""Starting, sharing and closing the real small model."""

import os
import subprocess
import sys

import pytest

from langchain_bedrock_continue.local.backend import Finish, Piece, Request
from langchain_bedrock_continue.local.llama import server as llama_server
from langchain_bedrock_continue.local.llama.backend import LlamaBackend
from langchain_bedrock_continue.local.llama.weights import WeightsUnavailableError

pytest.importorskip("xllamacpp", reason="the extra [local] is not installed")
pytestmark = pytest.mark.model

HI = Request("m", [{"role": "user", "content": [{"text": "Hi"}]}], max_tokens=2)


@pytest.fixture
def backend():
    llama = LlamaBackend(context_tokens=256)
    try:
        llama.start()
    except WeightsUnavailableError as error:
        pytest.skip(str(error))
    yield llama
    llama.close()


async def finish_of(backend: LlamaBackend) -> Piece:
    return [piece async for piece in backend.generate(HI)][-1]


async def test_backends_share_one_server_until_the_last_is_closed(backend):
    running = len(llama_server._running)
    other = LlamaBackend(context_tokens=256)
    other.start()
    other.start()
    assert len(llama_server._running) == running
    other.close()
    other.close()
    assert await finish_of(backend) == Finish("max_tokens", 2)
    with pytest.raises(RuntimeError, match="not running"):
        await finish_of(other)
    backend.close()
    assert len(llama_server._running) == running - 1


async def test_a_backend_can_be_started_again(backend):
    backend.close()
    backend.start()
    assert await finish_of(backend) == Finish("max_tokens", 2)


def test_an_invalid_argument_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"'big'.*'smollm2'"):
        LlamaBackend("big")
    with pytest.raises(ValueError, match="threads=0"):
        LlamaBackend(threads=0)
    with pytest.raises(ValueError, match="batch_tokens=0"):
        LlamaBackend(batch_tokens=0)
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"junk" * 100)
    with pytest.raises(ValueError, match=r"cannot load.*junk\.gguf"):
        LlamaBackend(junk).start()


_TWO_LOOPS = """
import asyncio, os
from langchain_bedrock_continue.local.backend import Request
from langchain_bedrock_continue.local.llama.backend import LlamaBackend

async def use(llama):
    request = Request("m", [{"role": "user", "content": [{"text": "Hi"}]}], 3)
    return [piece async for piece in llama.generate(request)]

llama = LlamaBackend(context_tokens=256)
llama.start()
asyncio.run(use(llama))
asyncio.run(use(llama))
llama.close()
tasks = "/proc/self/task"
print("threads", len(os.listdir(tasks)) if os.path.isdir(tasks) else 1)
"""


def test_the_model_is_quiet_works_in_any_loop_and_leaves_no_threads(backend):
    done = subprocess.run(  # noqa: S603 # the code is this file's
        [sys.executable, "-W", "error", "-c", _TWO_LOOPS],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=dict(os.environ),
    )
    assert done.stderr == ""
    word, threads = done.stdout.split()
    assert word == "threads"
    # The main thread, the loop's helper thread, and one that llama.cpp keeps.
    assert int(threads) <= 3
