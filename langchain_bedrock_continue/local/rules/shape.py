"""Whether a request has the shape of its operation, by botocore's own service model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator

from langchain_bedrock_continue.local.wire.errors import invalid

if TYPE_CHECKING:
    from langchain_bedrock_continue.local.backend import Json


def check_shape(operation: str, model_id: str, body: Json) -> None:
    """Raise a `ServiceError` that names each field which is wrong.

    boto3 checks the same before it sends; this is for clients that do not.
    """
    shape = _service_model().operation_model(operation).input_shape
    report = ParamValidator().validate({**body, "modelId": model_id}, shape)
    if report.has_errors():
        raise invalid(f"Malformed input request: {report.generate_report()}")


@cache
def _service_model() -> Any:
    return botocore.session.get_session().get_service_model("bedrock-runtime")
