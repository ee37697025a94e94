"""The answer that a request gets, and its faults (SCRIPT-1, SCRIPT-5)."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from langchain_bedrock_continue.local import (
    Answer,
    Fault,
    FaultAt,
    Request,
    Script,
    Think,
)
from langchain_bedrock_continue.local.backend import (
    BlockEnd,
    EventFault,
    Finish,
    Reasoning,
    Text,
)
from langchain_bedrock_continue.local.script.backend import turn_of
from tests.support.pieces import make_request, pieces_of, text_of

Json = dict[str, Any]


def conversation(turns: int, prefill: str = "") -> Request:
    messages: list[Json] = []
    for i in range(turns):
        messages.append({"role": "user", "content": [{"text": f"u{i}"}]})
        messages.append({"role": "assistant", "content": [{"text": f"a{i}"}]})
    request = make_request(prefill)
    return replace(request, messages=[*messages, *request.messages])


async def test_each_turn_has_its_answer() -> None:
    """SCRIPT-1."""
    script = Script(["zero", Answer("one")])
    assert [turn_of(conversation(n)) for n in range(4)] == [0, 1, 2, 3]
    answers = [text_of(await pieces_of(script, conversation(n))) for n in range(4)]
    assert answers == ["zero", "one", "one", "one"]
    assert text_of(await pieces_of(script, conversation(1, "on"))) == "e"


async def test_a_function_gets_the_request() -> None:
    script = Script(lambda request: f"{request.max_tokens} tokens")
    assert text_of(await pieces_of(script, make_request(max_tokens=50))) == "50 tokens"


async def test_a_fault_comes_with_its_request() -> None:
    fault = Fault("close")
    script = Script(Answer("a b c", faults=[FaultAt(fault, at=1, request=2)]))
    assert fault not in await pieces_of(script, make_request())
    assert await pieces_of(script, make_request()) == [Text("a"), fault]
    assert fault not in await pieces_of(script, make_request())


async def test_requests_to_a_function_are_counted_by_their_messages() -> None:
    """SCRIPT-5: prefill and cachePoints do not count, other messages do."""
    fault = Fault("close")
    faulty = Answer("abc", faults=[FaultAt(fault, request=2)])
    script = Script(lambda _: faulty)
    assert fault not in await pieces_of(script, make_request())
    assert fault not in await pieces_of(script, conversation(1))
    point = {"cachePoint": {"type": "default"}}
    again = make_request("a")
    again.messages[0]["content"].append(point)
    assert await pieces_of(script, again) == [fault]
    assert fault not in await pieces_of(script, make_request())
    assert await pieces_of(script, conversation(1)) == [fault]


async def test_a_function_may_keep_state() -> None:
    """Such as a model that samples: another answer for each request."""
    numbers = itertools.count(1)

    def sampled(_: Request) -> Answer:
        n = next(numbers)
        return Answer([Think(f"Try {n}.", signature=f"s{n}"), f"Answer {n}."])

    script = Script(sampled)
    for n in (1, 2):
        pieces = await pieces_of(script, make_request())
        assert text_of(pieces) == f"Answer {n}."
        assert Reasoning(signature=f"s{n}") in pieces
        assert Reasoning(f" {n}") in pieces


async def test_faults_are_counted_by_kind() -> None:
    faults = [FaultAt(Fault("close"), at=1), FaultAt(Fault("checksum"), event=1)]
    script = Script(Answer("a b", faults=faults))
    pieces = await pieces_of(script, make_request())
    assert pieces[0] == EventFault(1, Fault("checksum"))
    assert pieces[-1] == Fault("close")
    await pieces_of(script, make_request())
    assert script.faults_played == {"close": 1, "checksum": 1}


async def test_a_fault_for_every_request_before_the_finish() -> None:
    fault = Fault("no_metadata")
    script = Script(Answer("a", faults=[FaultAt(fault, at=-1, request=None)]))
    for _ in range(2):
        pieces = await pieces_of(script, make_request())
        assert pieces == [Text("a"), BlockEnd(), fault, Finish("end_turn", 1)]


async def test_a_fault_after_the_last_piece_is_an_error() -> None:
    script = Script(Answer("a", faults=[FaultAt(Fault("close"), at=3)]))
    with pytest.raises(ValueError, match=r"FaultAt\.at=3: the response has only 3"):
        await pieces_of(script, make_request())


def test_a_script_needs_an_answer_which_may_be_empty() -> None:
    Script("")
    with pytest.raises(ValueError, match="answers"):
        Script([])


async def test_a_longer_prompt_has_more_tokens() -> None:
    script = Script("x")
    longer = conversation(1)
    head = replace(longer, messages=longer.messages[:1])
    more = replace(longer, system=[{"text": "Be brief."}])
    image = {"image": {"source": {"bytes": "AAAA" * 1000}}}
    pictured = replace(head, messages=[{"role": "user", "content": [image]}])
    counts = [await script.count_tokens(r) for r in (pictured, head, longer, more)]
    assert counts == [4, 6, 18, 21]
