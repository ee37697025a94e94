"""A Bedrock runtime on this machine: for tests, notebooks and demos.

Needs the extra: `pip install "langchain-bedrock-continue[local]"`.
"""

try:
    import starlette  # noqa: F401 - only to see whether the extra is there
    import uvicorn  # noqa: F401 - the same
except ImportError as error:
    raise ImportError(
        "langchain_bedrock_continue.local needs its extra: "
        'pip install "langchain-bedrock-continue[local]"'
    ) from error

from langchain_bedrock_continue.local.backend import (
    Backend,
    Fault,
    Request,
    ServerBlock,
)
from langchain_bedrock_continue.local.rules.models import ModelRules
from langchain_bedrock_continue.local.script.answers import (
    Answer,
    CallTool,
    FaultAt,
    Pause,
    Say,
    Think,
)
from langchain_bedrock_continue.local.script.backend import Script
from langchain_bedrock_continue.local.script.faults import RandomFaults
from langchain_bedrock_continue.local.server import LocalBedrock
from langchain_bedrock_continue.local.wire.http_request import RecordedRequest

__all__ = [
    "Answer",
    "Backend",
    "CallTool",
    "Fault",
    "FaultAt",
    "LocalBedrock",
    "ModelRules",
    "Pause",
    "RandomFaults",
    "RecordedRequest",
    "Request",
    "Say",
    "Script",
    "ServerBlock",
    "Think",
]
