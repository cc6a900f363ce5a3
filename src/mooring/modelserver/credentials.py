"""What the registry and the object store are reached with is not for the model's code: it is gone from the environment
before that code is imported."""

import logging
import os
import re
from collections.abc import Collection

_logger = logging.getLogger("mooring.modelserver")

_HIDDEN = re.compile(
    r"(AICORE|DESTINATION|MOORING)_.*"
    r"|MLFLOW_(TRACKING|REGISTRY)_(USERNAME|PASSWORD|TOKEN|AUTH|AWS_SIGV4|CLIENT_CERT_PATH)"
    r"|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|WEB_IDENTITY_TOKEN_FILE|CONTAINER_.*)"
    r"|AZURE_(STORAGE_.*|CLIENT_SECRET|CLIENT_CERTIFICATE_.*|FEDERATED_TOKEN_FILE|PASSWORD)"
    r"|OTEL_EXPORTER_OTLP_(TRACES_)?HEADERS"
    r"|GOOGLE_APPLICATION_CREDENTIALS|DATABRICKS_(TOKEN|PASSWORD|CLIENT_SECRET)"
)
_ADDRESSES = re.compile(r"MLFLOW_(TRACKING|REGISTRY)_URI|MODEL_REGISTRY_API|.*DATABASE_URL")
"""Hidden when there is a password in them."""


def hide(keep: Collection[str] = ()) -> None:
    """Take them out of this process's environment, but for those that the operator wants the model to see."""
    hidden = sorted(name for name in os.environ if name not in keep and _is_credential(name))
    for name in hidden:
        del os.environ[name]
    if hidden:
        _logger.info("hidden from the model: %s (--keep-env NAME shows one)", ", ".join(hidden))


def _is_credential(name: str) -> bool:
    return bool(_HIDDEN.fullmatch(name)) or (bool(_ADDRESSES.fullmatch(name)) and "@" in os.environ[name])
