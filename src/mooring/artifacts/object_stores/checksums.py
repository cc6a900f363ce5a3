"""Whether what came is what the store has: by our own SHA-256 beside the object, or by an ETag that is an MD5."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.artifacts.errors import CameDamaged

if TYPE_CHECKING:
    from hashlib import _Hash

ATTRIBUTE = "mooringsha256"
"""Metadata of objects that we store. (Azure takes only names that could be variables.)"""
_MD5 = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class Promise:
    """What the content's digest has to be; of no algorithm when the store says nothing."""

    algorithm: str
    digest: str

    def hasher(self) -> "_Hash":
        return hashlib.new(self.algorithm or "md5", usedforsecurity=False)


def promise_of(etag: str, attributes: Mapping[Any, Any]) -> Promise:
    """From what an answer said about the object."""
    if ours := attributes.get(ATTRIBUTE):
        return Promise("sha256", str(ours).lower())
    if _MD5.fullmatch(etag):
        return Promise("md5", etag.lower())
    return Promise("", "")


class Checksums:
    """Holds promises and contents against each other. Usable from many threads.

    An ETag of 32 digits is no MD5 where the store encrypts (SSE-KMS, SSE-C). So when an object comes the same twice,
    it is taken for what the store has, and its ETags for something else.
    """

    def __init__(self) -> None:
        self._came: dict[str, str] = {}
        self._etags_are_digests = True

    def can_tell(self, promise: Promise) -> bool:
        """Whether there is anything to be checked."""
        return promise.algorithm == "sha256" or (promise.algorithm == "md5" and self._etags_are_digests)

    def check(self, key: str, promise: Promise, digest: str, told: str) -> None:
        """Raises CameDamaged."""
        if digest == promise.digest:
            return
        before = self._came.get(key)
        self._came[key] = digest
        if promise.algorithm == "md5" and before == digest:
            self._etags_are_digests = False
            return
        raise CameDamaged(f"{key!r} came damaged from {told}: its {promise.algorithm} is not what the store says")
