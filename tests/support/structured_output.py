"""Objects far larger than a segment, their schemas, and a model that writes them.

A case of structured output is an object, a family of models, a method of LangChain's
`with_structured_output`, and the form in which the schema is given.
"""

import asyncio
import json
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from botocore.exceptions import ClientError
from langchain_core.runnables import Runnable
from pydantic import BaseModel, Field, create_model
from typing_extensions import TypedDict

from langchain_bedrock_continue.local import Answer, CallTool, LocalBedrock, Request
from tests.support.models import NOVA, PREFILL_MODEL, REFUSING_MODEL
from tests.support.scripts import echo

FAMILIES = {
    "Claude with prefill": PREFILL_MODEL,
    "Claude without prefill": REFUSING_MODEL,
    "Nova": NOVA,
}
METHODS = ("function_calling", "json_schema", "prompt_prefill")

# The objects, and their schemas in each form ---------------------------------------

FORTY = [f"field_{number:02}" for number in range(40)]


class Item(BaseModel):
    """One of many."""

    name: str
    price: float


class Bill(BaseModel):
    """A long bill."""

    items: list[Item] = Field(min_length=400, max_length=400)


class ItemDict(TypedDict):
    """One of many."""

    name: str
    price: float


class BillDict(TypedDict):
    """A long bill."""

    items: list[ItemDict]


fields: Any = {
    name: (int if number % 2 else str, ...) for number, name in enumerate(FORTY)
}
Form = create_model("Form", **fields, __doc__="A form.")
types: Any = {name: field[0] for name, field in fields.items()}
typed_dict: Any = TypedDict  # mypy accepts literals only
FormDict = typed_dict("FormDict", types)
FormDict.__doc__ = "A form."

SCHEMAS: dict[tuple[str, str], Any] = {
    ("40 fields", "pydantic"): Form,
    ("40 fields", "TypedDict"): FormDict,
    ("40 fields", "JSON schema"): Form.model_json_schema(),
    ("400 items", "pydantic"): Bill,
    ("400 items", "TypedDict"): BillDict,
    ("400 items", "JSON schema"): Bill.model_json_schema(),
}
OBJECTS, FORMS = ("40 fields", "400 items"), ("pydantic", "TypedDict", "JSON schema")


def made(kind: str, sample: int = 0) -> dict[str, Any]:
    """Make the object; each sample has other values, and another length."""
    marks = f"{sample}: " if sample else ""
    if kind == "40 fields":
        return {
            name: number + sample if number % 2 else f'{marks}a "{number}", 日本\n'
            for number, name in enumerate(FORTY)
        }
    items = [{"name": f"{marks}item {n}", "price": n / 4 + sample} for n in range(400)]
    return {"items": items}


# The cases -------------------------------------------------------------------------


class Case(NamedTuple):
    """What is asked for, of which model, and how."""

    kind: str
    family: str
    method: str
    form: str

    @property
    def segment_size(self) -> int:
        """The tokens of a segment, far fewer than the object has.

        A prefill has to end within 30 segments, so it has larger ones.
        """
        large = self.kind == "400 items" and self.method == "prompt_prefill"
        return 256 if large else 64

    def chain(self, make: Any, bedrock: LocalBedrock, **kwargs: Any) -> Any:
        """Make the chain from the model to the object."""
        raw = {"include_raw": True} if kwargs.pop("include_raw", False) else {}
        sizes = {"max_tokens": self.segment_size, **kwargs}
        llm = make(bedrock, model=FAMILIES[self.family], **sizes)
        schema = SCHEMAS[self.kind, self.form]
        return llm.with_structured_output(schema, method=self.method, **raw)

    def is_complete(self, parsed: Any) -> bool:
        """Return True if it is one of the objects that the model began, complete."""
        samples = [made(self.kind, sample) for sample in range(20)]
        schema = SCHEMAS[self.kind, self.form]
        right_type = self.form != "pydantic" or isinstance(parsed, schema)
        return right_type and plain(parsed) in samples


def plain(parsed: Any) -> Any:
    """Return an object as a dictionary."""
    return parsed.model_dump() if isinstance(parsed, BaseModel) else parsed


UNSUPPORTED: dict[tuple[str, str, str], tuple[type[Exception], str]] = {
    **{
        (family, method, "TypedDict"): (ValueError, "Unsupported schema type")
        for family, method in product(FAMILIES, ("json_schema", "prompt_prefill"))
    },
    **{
        ("Claude without prefill", "prompt_prefill", form): (
            ClientError,
            "does not support assistant message prefill",
        )
        for form in ("pydantic", "JSON schema")
    },
}
"""By family, method and form: what ChatBedrockConverse raises."""

CASES: list[Case] = [
    case
    for case in map(Case._make, product(OBJECTS, FAMILIES, METHODS, FORMS))
    if case[1:] not in UNSUPPORTED
]

STREAMED = [
    case
    for case in CASES
    if case.form == "pydantic"
    and (case.kind == "40 fields" or case.method == "function_calling")
]
"""The cases for streams, whose parsers read all text again with every chunk: 400 items
as text take them 10 s."""


# The model -------------------------------------------------------------------------


def answers(kind: str) -> Callable[[Request], str | Answer]:
    """Answer as the request asks; an object that is begun again is another sample."""
    samples = iter(range(1000))

    def answer(request: Request) -> str | Answer:
        if request.tool_config:
            (tool,) = request.tool_config["tools"]
            call = CallTool(tool["toolSpec"]["name"], made(kind, next(samples)))
            return Answer(["Here it is. ", call])
        if request.output_config:
            return json.dumps(made(kind, next(samples)))
        return echo(f"```json\n{json.dumps(made(kind), indent=1)}\n```", request)

    return answer


# The entrances of a chain ----------------------------------------------------------

Ask: TypeAlias = Callable[[Runnable[Any, Any], str], Any]


def by_stream(chain: Runnable[Any, Any], asked: str) -> Any:
    """Ask by `stream`, whose last chunk is the object."""
    return list(chain.stream(asked))[-1]


def by_astream(chain: Runnable[Any, Any], asked: str) -> Any:
    """Ask by `astream`, whose last chunk is the object."""

    async def collected() -> list[Any]:
        return [chunk async for chunk in chain.astream(asked)]

    return asyncio.run(collected())[-1]


CHAIN_ENTRANCES: dict[str, Ask] = {
    "invoke": lambda chain, asked: chain.invoke(asked),
    "stream": by_stream,
    "ainvoke": lambda chain, asked: asyncio.run(chain.ainvoke(asked)),
    "astream": by_astream,
}


def by_parts(chain: Runnable[Any, Any], asked: str) -> Any:
    """Ask by `stream` with `include_raw`: messages add up, the last object counts."""
    given: dict[str, Any] = {}
    for part in chain.stream(asked):
        for key, value in part.items():
            adds = key == "raw" and key in given
            given[key] = given[key] + value if adds else value
    return given


def by_aparts(chain: Runnable[Any, Any], asked: str) -> Any:
    """Ask by `astream` with `include_raw`; see `by_parts`."""

    async def collected() -> dict[str, Any]:
        given: dict[str, Any] = {}
        async for part in chain.astream(asked):
            for key, value in part.items():
                adds = key == "raw" and key in given
                given[key] = given[key] + value if adds else value
        return given

    return asyncio.run(collected())
