"""Object stores that speak S3, by way of obstore (https://developmentseed.org/obstore/).

A file is received here first and sent on when it is whole, so that a caller who leaves half way leaves nothing there.
Whether something is there already is asked before it is sent: of two who send at the same moment, the later stays.

The client would also take options from our environment (`AWS_ENDPOINT_URL`, `AWS_SESSION_TOKEN`, …). They are the
operator's and not the tenant's, so whatever matters is given to it here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from mooring.artifacts.object_stores.guard import Guard
from mooring.artifacts.object_stores.reach import OutOfReach
from mooring.artifacts.object_stores.waiting_file import WaitingFile, waiting_file
from mooring.domain.object_stores import StoreAccess
from mooring.errors import Conflict, InvalidRequest, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore import GetResult  # these are there for type checkers only
    from obstore.store import ClientConfig, S3Config, S3Credential

_CONNECT = timedelta(seconds=5)
_SILENCE = timedelta(seconds=30)
_WHOLE_REQUEST = timedelta(minutes=30)
"""As long as the gateway lets a file take (`gateway/control_plane_routes.py`)."""
_RETRYING = timedelta(seconds=20)
_RETRIES = 3
_PIECE_BYTES = 256 * 1024
_PARTS_AT_ONCE = 2
"""Each holds 5 MiB in memory."""
_ANY_REGION = "us-east-1"
_HTTPS_PORT = 443


class S3Files:
    """The files below a secret's bucket and pathPrefix.

    Raises InvalidRequest when it names no bucket, or a place that object stores may not be in.
    """

    def __init__(self, access: StoreAccess, incoming: Path, guard: Guard) -> None:
        self._store = _connect(access, guard)
        self._incoming = incoming

    @contextmanager
    def upload(self, key: str, *, overwrite: bool) -> Iterator["S3Upload"]:
        """Begin a file. Raises Conflict, Unavailable, InvalidRequest."""
        if not overwrite:
            _refuse_existing(self._store, key)
        with waiting_file(self._incoming) as file:
            yield S3Upload(self._store, key, file, overwrite=overwrite)

    def read(self, key: str) -> "S3Content":
        """Raises NotFound, Unavailable, InvalidRequest."""
        with _troubles_told(key):
            return S3Content(obstore.get(self._store, key))

    def remove(self, key: str) -> None:
        """Raises NotFound, Unavailable, InvalidRequest."""
        with _troubles_told(key):
            obstore.head(self._store, key)  # S3 itself does not say whether there was anything
            obstore.delete(self._store, key)


class S3Upload:
    """A file that is coming."""

    def __init__(self, store: S3Store, key: str, file: WaitingFile, *, overwrite: bool) -> None:
        self._store = store
        self._key = key
        self._file = file
        self._overwrite = overwrite

    def write(self, piece: bytes) -> None:
        """Raises Unavailable when the disk is full."""
        self._file.write(piece)

    def publish(self) -> None:
        """Raises Conflict, Unavailable, InvalidRequest."""
        if not self._overwrite:
            _refuse_existing(self._store, self._key)
        try:
            with _troubles_told(self._key):
                obstore.put(self._store, self._key, self._file.path, max_concurrency=_PARTS_AT_ONCE)
        except NotFound as error:
            raise InvalidRequest("the bucket of the object store secret does not exist") from error


class S3Content:
    """A file to be read once."""

    def __init__(self, found: "GetResult") -> None:
        self.size = found.meta["size"]
        self._found = found

    def pieces(self) -> Iterator[bytes]:
        for piece in self._found.stream(_PIECE_BYTES):
            yield bytes(piece)

    def close(self) -> None:
        """Nothing is held open: the connection ends with the stream."""


def _connect(access: StoreAccess, guard: Guard) -> S3Store:
    known = access.properties
    bucket = known.get("bucket")
    if not bucket:
        raise InvalidRequest("the object store secret names no bucket: change it with PATCH")
    endpoint = _endpoint(known)
    _refuse_what_is_out_of_reach(endpoint, guard)
    config: S3Config = {
        "endpoint": endpoint,
        "region": known.get("region") or _ANY_REGION,
        "virtual_hosted_style_request": False,
        "skip_signature": False,
    }
    return S3Store(
        bucket,
        prefix=known.get("pathPrefix"),
        config=config,
        client_options=_client_options(known, guard),
        retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRYING},
        credential_provider=lambda: _credentials(access),
    )


def _client_options(known: Mapping[str, str], guard: Guard) -> "ClientConfig":
    options: ClientConfig = {
        "allow_http": known.get("usehttps", "1") == "0",
        "allow_invalid_certificates": known.get("verifyssl", "1") == "0",
        "connect_timeout": _CONNECT,
        "read_timeout": _SILENCE,
        "timeout": _WHOLE_REQUEST,
    }
    if not _has_operators_proxy():
        options["proxy_url"] = guard.proxy_url()
    return options


def _credentials(access: StoreAccess) -> "S3Credential":
    return {
        "access_key_id": access.data["AWS_ACCESS_KEY_ID"],
        "secret_access_key": access.data["AWS_SECRET_ACCESS_KEY"],
        "expires_at": None,
    }


def _endpoint(known: Mapping[str, str]) -> str:
    default = f"s3.{known.get('region') or _ANY_REGION}.amazonaws.com"
    _, _, host = (known.get("endpoint") or default).rpartition("://")
    return f"{'http' if known.get('usehttps', '1') == '0' else 'https'}://{host}"


def _refuse_what_is_out_of_reach(endpoint: str, guard: Guard) -> None:
    """In words, before anything is sent; whatever this does not see, the guard does."""
    try:
        parts = urlsplit(endpoint)
        guard.reach.addresses(parts.hostname or "", parts.port or _HTTPS_PORT)
    except ValueError:
        raise InvalidRequest("the endpoint of the object store secret is no host with a port: change it") from None
    except OutOfReach as error:
        raise InvalidRequest(
            f"the endpoint of the object store secret cannot be used: {error}. "
            "The operator can allow it with the setting object_store_hosts"
        ) from None
    except OSError:
        if not _has_operators_proxy():  # which may know names that we do not
            raise Unavailable("the host of the object store's endpoint is not known: try again in a moment") from None


def _has_operators_proxy() -> bool:
    """Then it is the operator's proxy that says what can be reached."""
    return bool(getproxies().keys() & {"http", "https", "all"})


def _refuse_existing(store: S3Store, key: str) -> None:
    try:
        with _troubles_told(key):
            obstore.head(store, key)
    except NotFound:
        return
    raise Conflict(f"there is something at {key!r} already: send ?overwrite=true to replace a file")


@contextmanager
def _troubles_told(key: str) -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound(f"there is no file {key!r} in this object store") from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise InvalidRequest("the object store does not accept the credentials of its secret for this") from None
    except BaseError as error:
        raise Unavailable("the object store does not answer, or not as it should: try again in a moment") from error
