"""Objects far larger than a segment, their schemas, and a model that says them."""

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, create_model
from typing_extensions import TypedDict

from langchain_bedrock_continue.local import Answer, CallTool, Request
from tests.support.echo import echo

FAMILIES = {
    "Claude with prefill": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "Claude without prefill": "us.anthropic.claude-sonnet-4-6",
    "Nova": "us.amazon.nova-pro-v1:0",
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
typed_dict: Any = TypedDict  # mypy takes literals only
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


# The model -------------------------------------------------------------------------


def answers(kind: str) -> Callable[[Request], str | Answer]:
    """Answer as the request asks; what begins anew is sampled anew."""
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
