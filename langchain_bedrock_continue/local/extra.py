"""Says what to install if the extra `local` is missing."""

from __future__ import annotations

EXTRA_MISSING = (
    "langchain_bedrock_continue.local needs its extra: "
    'pip install "langchain-bedrock-continue[local]"'
)


def check_extra() -> None:
    """Check that the extra is installed.

    Raises:
        ImportError: It is not. The text says how to install it.
    """
    try:
        import starlette  # noqa: F401, PLC0415 - checks that the extra is installed
        import uvicorn  # noqa: F401, PLC0415 - the same
    except ImportError as error:
        raise ImportError(EXTRA_MISSING) from error


def is_installed() -> bool:
    """Return True if the extra is installed."""
    try:
        check_extra()
    except ImportError:
        return False
    return True
