"""Errors that Bedrock reports to a client."""

from __future__ import annotations

STATUS: dict[str, int] = {
    "ValidationException": 400,
    "ServiceQuotaExceededException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "UnknownOperationException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelStreamErrorException": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}
"""HTTP status by exception. Source: botocore's service model of `bedrock-runtime`.

`UnknownOperationException` is not in the service model: its status is our choice.
"""

VENDOR_PREFIX = "The model returned the following errors: "
"""Text with which Converse begins a refusal of the model's vendor.

Refusals of Bedrock itself do not have it. Source: public reports of live calls.
"""


class ServiceError(Exception):
    """A refusal or a failure of the service: an HTTP error, or an exception event.

    Args:
        code: Name of the exception, such as `ValidationException`.
        message: Text of the exception.
        status: HTTP status. By default the one in `STATUS`, or 400.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        """Initialize the error; see the class."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = STATUS.get(code, 400) if status is None else status


def validation_error(message: str) -> ServiceError:
    """Return a `ValidationException` with this text.

    Args:
        message: Text of the exception.
    """
    return ServiceError("ValidationException", message)
