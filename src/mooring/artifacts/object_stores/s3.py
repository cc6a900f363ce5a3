"""Object stores that speak S3: S3 itself, what is compatible with it, and OSS, by way of obstore.

The client would also take options from our environment (`AWS_ENDPOINT_URL`, `AWS_SESSION_TOKEN`, …). They are the
operator's and not the tenant's, so whatever matters is given to it here.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from obstore.store import S3Store

from mooring.artifacts.object_stores.way_out import (
    RETRIES,
    address_of,
    client_options,
    has_plain_http,
    refuse_what_is_out_of_reach,
)
from mooring.domain.object_stores import StoreAccess
from mooring.errors import InvalidRequest
from mooring.network.guard import Guard

if TYPE_CHECKING:
    from obstore.store import S3Credential  # these are there for type checkers only

_ANY_REGION = "us-east-1"


def connect_s3(access: StoreAccess, guard: Guard) -> S3Store:
    """The bucket below pathPrefix. Raises InvalidRequest, Unavailable, OSError."""
    known = access.properties
    bucket = known.get("bucket")
    if not bucket:
        raise InvalidRequest("the object store secret names no bucket: change it with PATCH")
    region = known.get("region") or _ANY_REGION
    address = address_of(known, f"s3.{region}.amazonaws.com")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return _connected(access, guard, bucket, region, address, names, bucket_in_host=False)


def connect_oss(access: StoreAccess, guard: Guard) -> S3Store:
    """OSS by its S3 API, which takes the bucket in the host's name only. Raises as `connect_s3`."""
    known = access.properties
    bucket, region = access.data["BUCKET"], known.get("region") or _ANY_REGION
    parts = urlsplit(address_of(known, ""))
    host = parts.netloc if parts.netloc.startswith(f"{bucket}.") else f"{bucket}.{parts.netloc}"
    address = urlunsplit((parts.scheme, host, "", "", ""))
    names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    return _connected(access, guard, bucket, region, address, names, bucket_in_host=True)


def _connected(
    access: StoreAccess,
    guard: Guard,
    bucket: str,
    region: str,
    address: str,
    names: tuple[str, str],
    *,
    bucket_in_host: bool,
) -> S3Store:
    refuse_what_is_out_of_reach(address, guard)
    return S3Store(
        bucket,
        prefix=access.properties.get("pathPrefix"),
        config={
            "endpoint": address,
            "region": region,
            "virtual_hosted_style_request": bucket_in_host,
            "skip_signature": False,
        },
        client_options=client_options(access.properties, guard, plain_http=has_plain_http(access.properties)),
        retry_config=RETRIES,
        credential_provider=lambda: _credentials(access, *names),
    )


def _credentials(access: StoreAccess, key: str, secret: str) -> "S3Credential":
    return {"access_key_id": access.data[key], "secret_access_key": access.data[secret], "expires_at": None}
