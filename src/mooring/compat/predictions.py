"""`predict`, in the two forms of fedml-databricks: the published one (1.0.0) and the current one (1.0.1 and later)."""

import json
from typing import Any, overload
from urllib.parse import urlsplit

from mooring.client.client import AIClient
from mooring.client.credentials import Credentials
from mooring.client.errors import ApiError
from mooring.compat.errors import CompatError
from mooring.compat.invocations import JSON, ask, invocations_url

RESULT = "prediction_result"
_SECONDS = 120.0


class _NotGiven:
    """Stands for an argument that was left out; None is data."""


_NOT_GIVEN = _NotGiven()


@overload
def predict(endpoint_url: str, data: Any, /, *, token: str | None = None, timeout_seconds: float = _SECONDS) -> Any: ...
@overload
def predict(
    endpoint_url: str, content_type: str, data: Any, /, *, token: str | None = None, timeout_seconds: float = _SECONDS
) -> Any: ...
@overload
def predict(
    endpoint_url: str,
    *,
    data: Any,
    content_type: str | None = None,
    token: str | None = None,
    timeout_seconds: float = _SECONDS,
) -> Any: ...
def predict(
    endpoint_url: str,
    *given: Any,
    content_type: str | None = None,
    data: Any = _NOT_GIVEN,
    token: str | None = None,
    timeout_seconds: float = _SECONDS,
) -> Any:
    """Ask a served model.

    `predict(endpoint_url, data)` returns a pandas DataFrame with the column `prediction_result`, a row for each
    prediction; `predict(endpoint_url, content_type, data)` returns the answer's JSON, such as
    `{"predictions": [...]}`. `data` is text or bytes, sent as they are (`json.dumps({"data": rows})`, say), or a
    dict, a list or a DataFrame, sent as JSON. An endpoint of the server that AICORE_* names gets a token of these
    credentials; no other server ever does. Raises CompatError.
    """
    kind, asked = _arguments(given, content_type, data)
    group = None
    if token is None:
        token, group = _own_token(endpoint_url)
    content = _content(asked)
    answer = ask(
        endpoint_url, content, kind or JSON, token=token, resource_group=group, timeout_seconds=timeout_seconds
    )
    return answer if kind else _frame(answer)


def _arguments(given: tuple[Any, ...], content_type: str | None, data: Any) -> tuple[str | None, Any]:
    """The content type, None in the published form, and the data."""
    match given:
        case () if data is not _NOT_GIVEN:
            return content_type, data
        case (only,) if data is _NOT_GIVEN:
            return content_type, only
        case (str(kind),) if content_type is None:
            return kind, data
        case (str(kind), value) if content_type is None and data is _NOT_GIVEN:
            return kind, value
    raise CompatError("call predict(endpoint_url, data) or predict(endpoint_url, content_type, data)")


def _content(data: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    if hasattr(data, "to_json") and hasattr(data, "columns"):
        return f'{{"dataframe_split": {data.to_json(orient="split", index=False, date_format="iso")}}}'.encode()
    try:
        return json.dumps(data).encode()
    except (TypeError, ValueError) as error:
        raise CompatError(f"the data cannot be written as JSON: {error}. Give text, lists, dicts or a frame") from error


def _own_token(endpoint_url: str) -> tuple[str | None, str | None]:
    """Token and resource group of the AICORE_* variables, if they are of the endpoint's server."""
    try:
        credentials = Credentials.from_env()
    except ValueError:
        return None, None
    if _origin(credentials.base_url) != _origin(invocations_url(endpoint_url)):
        return None, None
    try:
        with AIClient.from_env() as client:
            return client.access_token(), credentials.resource_group
    except ApiError as error:
        raise CompatError(f"no token from {credentials.auth_url} for AICORE_CLIENT_ID: {error}") from error


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _frame(answer: Any) -> Any:
    """MLflow 2 wraps what MLflow 1 answered in `predictions`."""
    import pandas as pd

    found = answer.get("predictions", answer) if isinstance(answer, dict) else answer
    if not isinstance(found, list):
        found = [found]
    return pd.DataFrame({RESULT: pd.Series(found)})
