"""What each client runs: its packages, its command, and what it must print.

Each program is what a user of that library writes. The endpoint is set by environment
variables only, those that `serve` prints. `{python}` and `{bin}` are the environment's.
"""

from dataclasses import dataclass
from typing import Literal

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
TEXT = "Bread rises because yeast turns sugar into gas, and the dough holds it."
FIRST = "Bread rises because"
"""The first four tokens of the text."""

SUM = "The sum is 5."


@dataclass(frozen=True)
class Client:
    """A client of the endpoint.

    Attributes:
        name: What it is.
        package: The package whose version is printed, by the name in its registry.
        command: The command, as words.
        prints: What it must print, line by line.
        script: Which script answers: a text, or a tool call and then a text.
        endpoint: A variable for the endpoint's URL, if it does not read the SDKs' own.
    """

    name: str
    package: str
    command: tuple[str, ...]
    prints: tuple[str, ...]
    script: Literal["text", "tool"] = "text"
    endpoint: str = ""


BOTO3 = f"""
import boto3
client = boto3.client("bedrock-runtime")
messages = [{{"role": "user", "content": [{{"text": "Why does bread rise?"}}]}}]
short = client.converse(
    modelId="{MODEL}", messages=messages, inferenceConfig={{"maxTokens": 4}}
)
print(short["output"]["message"]["content"][0]["text"])
stream = client.converse_stream(modelId="{MODEL}", messages=messages)["stream"]
deltas = [e["contentBlockDelta"] for e in stream if "contentBlockDelta" in e]
print("".join(delta["delta"]["text"] for delta in deltas))
"""

JAVASCRIPT = f"""
import {{ BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand }}
  from "@aws-sdk/client-bedrock-runtime";
import {{ NodeHttpHandler }} from "@smithy/node-http-handler";
const client = new BedrockRuntimeClient(
  process.env.HTTP === "1.1" ? {{ requestHandler: new NodeHttpHandler() }} : {{}});
const modelId = "{MODEL}";
const messages = [{{ role: "user", content: [{{ text: "Why does bread rise?" }}] }}];
const inferenceConfig = {{ maxTokens: 4 }};
const short = await client.send(
  new ConverseCommand({{ modelId, messages, inferenceConfig }}));
console.log(short.output.message.content[0].text);
const answer = await client.send(new ConverseStreamCommand({{ modelId, messages }}));
let text = "";
for await (const event of answer.stream)
  text += event.contentBlockDelta?.delta?.text ?? "";
console.log(text);
"""

LITELLM = f"""
import litellm
messages = [{{"role": "user", "content": "Why does bread rise?"}}]
for route in ("bedrock/", "bedrock/invoke/"):
    short = litellm.completion(route + "{MODEL}", messages, max_tokens=4)
    print(short.choices[0].message.content)
chunks = litellm.completion("bedrock/{MODEL}", messages, stream=True)
print("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
"""

PYDANTIC_AI = f"""
from pydantic_ai import Agent
agent = Agent("bedrock:{MODEL}")
@agent.tool_plain
def add(a: int, b: int) -> int:
    return a + b
print(agent.run_sync("What is 2 + 3?").output)
"""

STRANDS = f"""
from strands import Agent, tool
from strands.models import BedrockModel
@tool
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
agent = Agent(BedrockModel(model_id="{MODEL}"), tools=[add], callback_handler=None)
print(agent("What is 2 + 3?"))
"""

_CLI_MESSAGES = '[{"role": "user", "content": [{"text": "Why does bread rise?"}]}]'
_PYTHON = ("{python}", "-c")
_NODE = ("node", "--no-warnings", "--input-type=module", "--eval", JAVASCRIPT)

CLIENTS = (
    Client("boto3", "boto3", (*_PYTHON, BOTO3), (FIRST, TEXT)),
    Client(
        "AWS CLI",
        "awscli",
        (
            *("{bin}/aws", "bedrock-runtime", "converse", "--model-id", MODEL),
            *("--messages", _CLI_MESSAGES, "--inference-config", "maxTokens=4"),
            *("--query", "output.message.content[0].text", "--output", "text"),
        ),
        (FIRST,),
    ),
    Client(
        "AWS SDK for JavaScript, HTTP/2 (its default)",
        "@aws-sdk/client-bedrock-runtime",
        _NODE,
        (FIRST, TEXT),
    ),
    Client(
        "AWS SDK for JavaScript, NodeHttpHandler (HTTP/1.1)",
        "@aws-sdk/client-bedrock-runtime",
        ("env", "HTTP=1.1", *_NODE),
        (FIRST, TEXT),
    ),
    Client(
        "litellm",
        "litellm",
        (*_PYTHON, LITELLM),
        (FIRST, FIRST, TEXT),
        endpoint="AWS_BEDROCK_RUNTIME_ENDPOINT",
    ),
    Client("pydantic-ai", "pydantic-ai-slim", (*_PYTHON, PYDANTIC_AI), (SUM,), "tool"),
    Client("strands", "strands-agents", (*_PYTHON, STRANDS), (SUM,), "tool"),
)

PIP = (
    *("boto3", "awscli", "litellm", "pydantic-ai-slim[bedrock]", "strands-agents"),
    "h2",  # litellm 1.110 imports it and does not require it
)
NPM = ("@aws-sdk/client-bedrock-runtime", "@smithy/node-http-handler")

SCRIPTS = {
    "text": [TEXT],
    "tool": [
        {"content": [{"toolUse": {"name": "add", "input": {"a": 2, "b": 3}}}]},
        SUM,
    ],
}
"""What `serve --script` plays, as JSON."""
