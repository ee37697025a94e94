"""A scripted model for LangChain's standard tests: it calls tools, or writes a text."""

import json

from langchain_bedrock_continue.local import Answer, CallTool, Script
from langchain_bedrock_continue.local.backend import Json, Request
from tests.support.scripts import echo

TALK = (
    "Here is what I think, in a few words more than fit.\n\n"
    "1. One answer is one message, however often it was cut.\n"
    "2. A line break is a line break:\n\n"
    "```python\ndef f(x):\n    return {\n        'x': x,\n    }\n```\n\n"
    "日本語の文章も、途中で切れてはいけません。\n\n"
    "ha ha ha! That is all there is to say.\n"
)

INPUTS: dict[str, Json] = {
    "magic_function": {"input": 3},
    "magic_function_no_args": {},
    "my_adder_tool": {"a": 1, "b": 2},
    "greeting_generator": {"answer_style": "pirate"},
    "get_weather": {"location": "San Francisco, CA"},
    "unicode_customer": {
        "customer_name": "你好啊集团, こんにちは株式会社",
        "description": "一家科技公司",
    },
    "Joke": {
        "setup": 'Why did the cat, 日本語を話す, sit down on "the" {mat}?\n' * 5,
        "punchline": "Because it was \\ its own; so it said, at least. " * 5,
    },
}


def tool_names(request: Request) -> list[str]:
    """Return the names of the tools of a request."""
    tools = (request.tool_config or {}).get("tools", [])
    return [tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool]


def has_tool_result(request: Request) -> bool:
    """Return True if the last message has the result of a tool."""
    return any("toolResult" in block for block in request.messages[-1]["content"])


def answer(request: Request) -> Answer | str:
    """Call the first tool; without tools, write an object or a text."""
    names = tool_names(request)
    if names and has_tool_result(request):
        return "The tool has answered."
    if names:
        return Answer([CallTool(names[0], INPUTS.get(names[0], {}))])
    if request.output_config:
        return json.dumps(INPUTS["Joke"])
    return echo(TALK, request)


def scripted_model() -> Script:
    """Make the model."""
    return Script(answer)
