"""The one place where a secret becomes a client of its object store."""

from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from mooring.artifacts.object_stores.azure import connect_azure
from mooring.artifacts.object_stores.gcs import connect_gcs
from mooring.artifacts.object_stores.s3 import connect_oss, connect_s3
from mooring.domain.object_stores import StoreAccess, StoreType
from mooring.errors import InvalidRequest
from mooring.network.guard import Guard

RemoteStore = S3Store | AzureStore | GCSStore


def connect(access: StoreAccess, guard: Guard) -> RemoteStore:
    """The place that the secret names; nothing is sent to it yet.

    Raises InvalidRequest when it names none, or one that object stores may not be in; Unavailable, OSError; for GCS,
    whose tokens come from elsewhere, WrongCredentials and SourceAway.
    """
    try:
        return _connected(access, guard)
    except (BaseError, ValueError):
        # The client's words are not passed on: they may repeat what it was given.
        raise InvalidRequest(
            f"no client can be made of the {access.type.value} object store secret: check its bucket, endpoint and "
            "pathPrefix (and, if the operator's environment names a GOOGLE_SERVICE_ACCOUNT, that it can be read)"
        ) from None


def _connected(access: StoreAccess, guard: Guard) -> RemoteStore:
    match access.type:
        case StoreType.S3:
            return connect_s3(access, guard)
        case StoreType.OSS:
            return connect_oss(access, guard)
        case StoreType.AZURE:
            return connect_azure(access, guard)
        case StoreType.GCS:
            return connect_gcs(access, guard)
        case StoreType.WEBHDFS:
            raise InvalidRequest(
                "object stores of the type webhdfs cannot be reached through Mooring: copy the files to one of the "
                "type S3, oss, azure or gcs, or to the installation's own store"
            )


def described(access: StoreAccess) -> str:
    """The store in the words of an error: its type, bucket and host, never its credentials."""
    known = access.properties
    address = known.get("endpoint") or known.get("containerUri") or ""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    bucket = known.get("bucket") or urlsplit(known.get("containerUri", "")).path.strip("/")
    return f"the {access.type.value} object store" + (f" at {host}" if host else "") + f", bucket {bucket!r}"
