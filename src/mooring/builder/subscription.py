"""Asks MLflow to tell us about changes at once. Polling finds them without it, only later."""

import logging

from mooring.builder.mlflow import MlflowError, RegistryClient

NAME = "mooring"

_EVENTS = [
    {"entity": entity, "action": action}
    for entity, actions in {
        "MODEL_VERSION": ("CREATED",),
        "MODEL_VERSION_TAG": ("SET", "DELETED"),
        "MODEL_VERSION_ALIAS": ("CREATED", "DELETED"),
    }.items()
    for action in actions
]

_log = logging.getLogger("mooring.builder")


def ensure_webhook(registry: RegistryClient, url: str, secret: str) -> bool:
    """Have exactly one webhook of ours, to this URL and with this secret; whether MLflow allows it.

    MLflow allows https and public addresses only, unless it was started with MLFLOW_WEBHOOK_ALLOWED_SCHEMES and
    MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS; stores in files know no webhooks at all.
    """
    try:
        ours = [each for each in registry.webhooks() if each.get("name") == NAME]
        if not ours:
            registry.create_webhook(NAME, url, _EVENTS, secret)
        for number, webhook in enumerate(ours):
            if number == 0:
                # Always: MLflow does not show the secret, and it may be an older one.
                registry.update_webhook(webhook["webhook_id"], url, _EVENTS, secret)
            else:
                registry.delete_webhook(webhook["webhook_id"])
    except MlflowError as error:
        _log.info("no webhook from MLflow, polling only: %s", error)
        return False
    return True
