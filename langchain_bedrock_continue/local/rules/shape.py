"""The shape of a request, checked against botocore's service model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator

from langchain_bedrock_continue.local.wire.errors import validation_error

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json


def check_shape(operation: str, model_id: str, body: Json) -> None:
    """Check that a request has the input shape of its operation.

    boto3 checks the same before it sends a request. This check is for other clients.

    Args:
        operation: Name of the operation in botocore's service model.
        model_id: Model id, inference profile or ARN, decoded from the URL.
        body: Body of the request.

    Raises:
        ServiceError: The shape is wrong. The text is botocore's and names each field.
    """
    shape = _service_model().operation_model(operation).input_shape
    report = ParamValidator().validate({**body, "modelId": model_id}, shape)
    if report.has_errors():
        raise validation_error(f"Malformed input request: {report.generate_report()}")


@cache
def _service_model() -> Any:
    return botocore.session.get_session().get_service_model("bedrock-runtime")
