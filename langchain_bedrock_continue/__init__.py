"""A LangChain chat model that continues answers truncated by Amazon Bedrock.

from langchain_bedrock_continue import ChatBedrockContinuing
"""

from langchain_bedrock_continue._core.record.continuation import (
    Continuation,
    SegmentEntry,
)
from langchain_bedrock_continue.callbacks import ContinuationProgress
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
from langchain_bedrock_continue.view import ContinuationView, show

__all__ = [
    "ChatBedrockContinuing",
    "Continuation",
    "ContinuationError",
    "ContinuationProgress",
    "ContinuationReport",
    "ContinuationView",
    "PrefillRefusedError",
    "Prices",
    "SegmentEntry",
    "SegmentError",
    "TruncatedToolCallError",
    "TurnLimitError",
    "show",
]
