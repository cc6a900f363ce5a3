"""A real Azure Blob Storage server on the loopback interface: Azurite (`npm install azurite`), when it is there."""

import base64
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx

from mooring.domain.object_stores import StoreAccess, StoreType

PROGRAM = os.environ.get("AZURITE_BLOB") or shutil.which("azurite-blob")
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""What Azurite documents: no secret."""
_START_SECONDS = 30.0
_LISTENS = re.compile(rb"http://127\.0\.0\.1:(\d+)")


@contextmanager
def azure_server(folder: Path) -> Iterator[StoreAccess]:
    """Access to the container `wine`, below `cellar/`, by a shared access signature."""
    folder.mkdir(parents=True)
    log = folder / "azurite.log"
    options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck", "--location", str(folder)]
    with log.open("wb") as output:
        server = subprocess.Popen([str(PROGRAM), *options], stdout=output, stderr=output)
    try:
        uri = f"http://127.0.0.1:{_port(log, server)}/{ACCOUNT}/wine"
        httpx.put(f"{uri}?restype=container&{signature()}", timeout=10).raise_for_status()
        yield access_to(uri, signature())
    finally:
        server.kill()
        server.wait()


def access_to(uri: str, key: str) -> StoreAccess:
    """Access to a container."""
    properties = {"containerUri": uri, "pathPrefix": "cellar"}
    return StoreAccess(StoreType.AZURE, properties, {"CONTAINER_URI": uri, "STORAGE_ACCESS_KEY": key})


def signature(key: str = KEY) -> str:
    """A shared access signature for all of the account."""
    what = {"sp": "rwdlac", "ss": "b", "srt": "sco", "st": "", "se": "2099-01-01T00:00:00Z"}
    text = "\n".join((ACCOUNT, *what.values(), "", "https,http", "2021-06-08", "", ""))
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    rest = {"spr": "https,http", "sv": "2021-06-08", "sig": base64.b64encode(digest).decode()}
    return urlencode({name: value for name, value in (what | rest).items() if value})


def _port(log: Path, server: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if match := _LISTENS.search(log.read_bytes()):
            return int(match[1])
        time.sleep(0.05)
    raise TimeoutError(f"no Azure server: see {log}")
