"""The part of the demo that needs the local runtime: an endpoint with a real model.

`python -m langchain_bedrock_continue` imports this module only for `--endpoint local`.
So the demo runs against AWS without the extra, and a command prints its help.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from langchain_bedrock_continue.local.extra import check_extra

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.server import LocalBedrock


def model_endpoint(weights: str) -> LocalBedrock:
    """Return an endpoint with a real small model. It is not started.

    Args:
        weights: `"smollm2"`, `"qwen2.5-coder"`, `"qwen2.5-coder-1.5b"`, or the path of
            a GGUF file.

    Raises:
        ImportError: The extra `local` is not installed.
        ValueError: `weights` is neither a known name nor a file.
    """
    check_extra()
    # Late imports: these need the extra.
    from langchain_bedrock_continue.local.llama.backend import (  # noqa: PLC0415
        LlamaBackend,
    )
    from langchain_bedrock_continue.local.server import LocalBedrock  # noqa: PLC0415

    return LocalBedrock(LlamaBackend(weights))


def log_downloads() -> None:
    """Log the downloads of weights at the level INFO, whatever the root logger's is."""
    logging.getLogger("langchain_bedrock_continue.local").setLevel(logging.INFO)
