"""Ids in the shapes that clients of the AI API know."""

import secrets
import uuid


def new_deployment_id() -> str:
    """`d` and 15 hexadecimal digits."""
    return "d" + secrets.token_hex(8)[:15]


def new_execution_id() -> str:
    """`e` and 15 hexadecimal digits."""
    return "e" + secrets.token_hex(8)[:15]


def new_revision_id() -> str:
    """`v` and 15 hexadecimal digits."""
    return "v" + secrets.token_hex(8)[:15]


def new_replica_id() -> str:
    """`r` and 15 hexadecimal digits."""
    return "r" + secrets.token_hex(8)[:15]


def new_job_id() -> str:
    """`j` and 15 hexadecimal digits."""
    return "j" + secrets.token_hex(8)[:15]


def new_uuid() -> str:
    """Configurations, artifacts and requests carry UUIDs."""
    return str(uuid.uuid4())
