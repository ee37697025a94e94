"""What tests send to the local endpoint by boto3 itself."""

from typing import Any

from botocore.config import Config

HI: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "Hi"}]}]
"""The messages of a conversation that begins."""

ONCE = Config(retries={"total_max_attempts": 1})
"""The settings of a client that retries nothing."""
