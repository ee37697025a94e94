"""A Bedrock runtime on this machine for tests, notebooks and demos.

`LocalBedrock` is an HTTP endpoint with Bedrock's operations, rules and error texts. A
backend behind it generates the answers: a `Script`, or a real small model
(`langchain_bedrock_continue.local.llama.LlamaBackend`).

Needs the extra: `pip install "langchain-bedrock-continue[local]"`.

Modules, each of which may import those before it:

- `extra`: says what to install.
- `backend`: the contract between endpoint and model; `anthropic_server_tools`: blocks
  that the contract and the wire format share.
- `wire`: Bedrock's wire format. `rules`: what Bedrock accepts and counts.
- `script`, `llama`: the two backends. They know the contract only.
- `app`: the operations, from wire format and rules. `server`: `LocalBedrock`.
"""

from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.extra import check_extra, is_installed

if TYPE_CHECKING or is_installed():
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
else:
    # Only a name needs the extra, so that the command can print its help without it.
    def __getattr__(name: str) -> object:
        if name in __all__:
            check_extra()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
