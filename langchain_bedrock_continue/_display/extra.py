"""Says what to install if the extra `rich` is missing."""

from __future__ import annotations

RICH_MISSING = (
    "Drawing in a terminal needs the extra rich: "
    'pip install "langchain-bedrock-continue[rich]". For plain lines without it, use '
    'ContinuationProgress(output="lines").'
)


def check_rich() -> None:
    """Check that rich is installed.

    Raises:
        ImportError: It is not. The text says how to install it.
    """
    try:
        import rich  # noqa: F401, PLC0415 - checks that the extra is installed
    except ImportError as error:
        raise ImportError(RICH_MISSING) from error
