"""Where the artifacts of an execution lie in its object store."""

import hashlib
import re

_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}")
_LONGEST = 60


def of_step(execution_id: str, node: str, artifact: str, *, packed: bool) -> str:
    """What one node gives to others; each node has a folder of its own."""
    name = artifact if _PLAIN.fullmatch(artifact) else _distinct(artifact)
    return f"ai://default/{execution_id}/{_distinct(node)}/{name}{'.tgz' if packed else ''}"


def of_output(execution_id: str, global_name: str, suffix: str) -> str:
    """What is registered. Clients know this place: it is the same whether packed or not."""
    return f"ai://default/{execution_id}/{global_name}{suffix}"


def _distinct(name: str) -> str:
    """Words that tell people what it is, and a digest that keeps names apart."""
    words = _UNSAFE.sub("-", name).strip("-")[:_LONGEST]
    return f"{words}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
