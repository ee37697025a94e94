"""A LangChain chat model that continues answers truncated by Amazon Bedrock.

from langchain_bedrock_continue import ChatBedrockContinuing
"""

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

__all__ = [
    "ChatBedrockContinuing",
    "Continuation",
    "ContinuationError",
    "PrefillRefusedError",
    "SegmentEntry",
    "SegmentError",
    "TruncatedToolCallError",
    "TurnLimitError",
]
