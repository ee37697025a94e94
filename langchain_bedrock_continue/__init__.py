"""A LangChain chat model that continues answers truncated by Amazon Bedrock.

from langchain_bedrock_continue import ChatBedrockContinuing
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from langchain_bedrock_continue.middleware import (
        ContinuationMiddleware as ContinuationMiddleware,
    )

    __version__: str
else:  # for type checkers, any name would be in the package

    def __getattr__(name: str) -> Any:
        """Return what is looked up when it is asked for.

        The version is read from the installed package. ContinuationMiddleware is
        imported: it needs langchain.
        """
        if name == "__version__":
            return version("langchain-bedrock-continue")
        if name != "ContinuationMiddleware":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from langchain_bedrock_continue.middleware import (  # noqa: PLC0415 - see above
            ContinuationMiddleware,
        )

        return ContinuationMiddleware
