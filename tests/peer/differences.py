"""What may differ from langchain-aws's classes: a table with a reason a row.

A row names tests: the end of a test's id, in which `*` stands for any text. A test that
fails has a row, and a row has only tests that fail.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Difference(NamedTuple):
    """Tests that fail with ours in place, and why."""

    tests: str
    reason: str

    def matches(self, test: str) -> bool:
        """Return True if the row is about a test, given its id."""
        pattern = re.escape(self.tests).replace(r"\*", ".*")
        return re.search(rf"(?:^|/){pattern}$", test) is not None


CONVERSE = "chat_models/test_bedrock_converse.py::"
INVOKE_MODEL = "chat_models/test_bedrock.py::"

OWN_FIELDS = (
    "`model_dump` has the fields of the wrapper; the wrapped model's are in `llm`"
)
POOL = (
    "both boto3 clients are created with a `config` of ours: `max_concurrency` "
    "connections"
)
RESUMED = "a stream that breaks off is resumed; the test counts one call"
BROKEN_OFF = (
    "a stream of InvokeModel without a stop reason and without usage was broken off; "
    "Bedrock always sends both"
)
NO_MESSAGES_API = (
    "a ChatBedrock of this provider turns messages into one prompt, which cannot be "
    "continued: ValueError when it is wrapped"
)
NO_PROVIDER = (
    "without `provider`, a ChatBedrock with an ARN makes no call; the same error is "
    "raised when it is wrapped"
)
SAVED_FORM = "the saved form names ChatBedrockContinuing, with the wrapped model in it"

DIFFERENCES: tuple[Difference, ...] = (
    Difference(CONVERSE + "test_model_property_not_serialized", OWN_FIELDS),
    Difference(CONVERSE + "test_bedrock_client_inherits_from_runtime_client", POOL),
    Difference(
        CONVERSE + "test_bedrock_client_uses_explicit_values_over_runtime_client", POOL
    ),
    Difference(
        CONVERSE + "test_stream_rejects_response_without_message_stop[*-False]", RESUMED
    ),
    Difference(INVOKE_MODEL + "test_model_property_not_serialized", OWN_FIELDS),
    Difference(
        INVOKE_MODEL + "test_stream_thinking_on_by_default_returns_block_content[*]",
        BROKEN_OFF,
    ),
    Difference(
        INVOKE_MODEL + "test_with_structured_output_streaming_yields_multiple_chunks",
        BROKEN_OFF,
    ),
    Difference(INVOKE_MODEL + "test_profile", NO_MESSAGES_API),
    Difference(INVOKE_MODEL + "test_model_property_tracks_model_id", NO_MESSAGES_API),
    Difference(INVOKE_MODEL + "test_standard_tracing_params", NO_MESSAGES_API),
    Difference(INVOKE_MODEL + "test_model_kwargs", NO_MESSAGES_API),
    Difference(INVOKE_MODEL + "test_beta_use_converse_api", NO_MESSAGES_API),
    Difference(
        INVOKE_MODEL + "test_bedrock_client_inherits_from_runtime_client",
        NO_MESSAGES_API,
    ),
    Difference(
        INVOKE_MODEL + "test_bedrock_client_uses_explicit_values_over_runtime_client",
        NO_MESSAGES_API,
    ),
    Difference(
        INVOKE_MODEL + "test__get_provider[meta.*]",
        NO_MESSAGES_API,
    ),
    Difference(INVOKE_MODEL + "test__get_provider[*cohere*]", NO_MESSAGES_API),
    Difference(
        INVOKE_MODEL + "test_chat_prompt_adapter_with_model_detection[*]",
        NO_MESSAGES_API,
    ),
    Difference(
        INVOKE_MODEL + "test_beta_use_converse_api_with_inference_profile*", NO_PROVIDER
    ),
    Difference(
        INVOKE_MODEL + "test_profile_with_application_inference_profile", NO_PROVIDER
    ),
    Difference("test_standard.py::TestBedrock*Standard::test_serdes", SAVED_FORM),
)
