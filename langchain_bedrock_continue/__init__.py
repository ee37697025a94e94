"""A LangChain chat model that continues answers truncated by Amazon Bedrock.

from langchain_bedrock_continue import ChatBedrockContinuing
"""

from importlib.metadata import version
from typing import TYPE_CHECKING

from langchain_bedrock_continue._core.record.continuation import (
    Continuation,
    SegmentEntry,
)
from langchain_bedrock_continue.chat_models import ChatBedrockContinuing
from langchain_bedrock_continue.errors import (
    ContinuationError,
    PrefillRefusedError,
    SegmentError,
    TruncatedToolCallError,
    TurnLimitError,
)
from langchain_bedrock_continue.prices import Prices
from langchain_bedrock_continue.report import ContinuationReport

__all__ = [
    "ChatBedrockContinuing",
    "Continuation",
    "ContinuationError",
    "ContinuationReport",
    "PrefillRefusedError",
    "Prices",
    "SegmentEntry",
    "SegmentError",
    "TruncatedToolCallError",
    "TurnLimitError",
]

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Return the version, read from the installed package when it is asked for."""
        if name == "__version__":
            return version("langchain-bedrock-continue")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
