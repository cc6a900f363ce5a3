"""How each protocol tells its caller what went wrong."""

import orjson

from mooring.modelserver.errors import ServingError


def scoring_error(error: ServingError) -> bytes:
    """MLflow's form, also used wherever no protocol says otherwise."""
    return orjson.dumps({"error_code": error.code, "message": _sendable(error.message)})


def oip_error(error: ServingError) -> bytes:
    """The Open Inference Protocol's form."""
    return orjson.dumps({"error": _sendable(error.message)})


def _sendable(message: str) -> str:
    # A caller's text may hold lone surrogates, which UTF-8 cannot carry back.
    return message.encode(errors="backslashreplace").decode()
