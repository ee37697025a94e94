"""Bedrock's errors, as the local endpoint answers them."""

from __future__ import annotations

# HTTP status by exception, from botocore's service model of bedrock-runtime.
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

VENDOR_PREFIX = "The model returned the following errors: "
"""Converse puts this before what the model's vendor, not Bedrock itself, refuses."""


class ServiceError(Exception):
    """The service refuses or fails; becomes an HTTP error or an exception event.

    Args:
        code: The exception's name, `ValidationException`.
        message: Its text.
        status: HTTP status; by default the one the service model gives, else 400.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        """Make the error that the service answers."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = STATUS.get(code, 400) if status is None else status


def invalid(message: str) -> ServiceError:
    """A `ValidationException` with this text."""
    return ServiceError("ValidationException", message)
