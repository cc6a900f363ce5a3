"""Bodies packed by gzip, deflate and zstd; bombs and broken ones refused; large answers packed for who asks."""

import asyncio
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import pytest

from mooring.modelserver.compression import encoding_of, unpacked
from mooring.modelserver.errors import InvalidInput, ServingError, TooLarge

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]
BODY = json.dumps({"inputs": [[5.1, 3.5, 1.4, 0.2]] * 500}).encode()
MIB = 1 << 20


def _zstd(data: bytes) -> bytes:
    packed: bytes = pyarrow.compress(data, codec="zstd", asbytes=True)
    return packed


PACKED = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]),
    "deflate": zlib.compress(BODY),
    "Deflate": zlib.compress(BODY, wbits=-15),
    "zstd": _zstd(BODY),
}


def _unpacked(body: bytes, encoding: str, limit: int = 100 * MIB) -> bytes:
    return asyncio.run(unpacked(body, encoding_of(encoding), limit))


@pytest.mark.parametrize("encoding", PACKED)
def test_packed_requests(encoding: str, shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.iris).post("/invocations", PACKED[encoding], content_encoding=encoding)
    assert answer.json() == {"predictions": [0] * 500}


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "x"])
def test_encodings_that_we_do_not_have(encoding: str, shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.iris).post("/invocations", BODY, content_encoding=encoding)
    assert answer.status_code == 415
    assert "gzip" in answer.json()["message"]


@pytest.mark.parametrize("encoding", PACKED)
def test_broken_bodies(encoding: str) -> None:
    chance, whole = random.Random(6), PACKED[encoding]
    for broken in (b"x" + whole, whole[:-1], whole[: len(whole) // 3], whole + b"tail"):
        with pytest.raises(InvalidInput):
            _unpacked(broken, encoding)
    for _ in range(100):
        changed = bytearray(whole)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            assert len(_unpacked(bytes(changed), encoding)) < MIB
        except ServingError as error:
            assert error.status in (400, 413)  # noqa: PT017 - either is right, and so is no error


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, _zstd])
def test_a_bomb_is_refused_before_it_goes_off(pack: Callable[[bytes], bytes]) -> None:
    encoding = {"compress": "gzip" if pack is gzip.compress else "deflate"}.get(pack.__name__, "zstd")
    bomb = pack(bytes(64 * MIB))
    tracemalloc.start()
    with pytest.raises(TooLarge, match="250 times"):
        _unpacked(bomb, encoding, 1000 * MIB)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40 * MIB


def test_the_limit_of_bodies_holds_for_what_is_in_them(shelf: "Shelf", ours: Server) -> None:
    server = ours(shelf.iris, max_request_bytes=len(BODY) - 1)
    answer = server.post("/invocations", PACKED["gzip"], content_encoding="gzip")
    assert answer.status_code == 413
    assert f"{len(BODY) - 1} bytes" in answer.json()["message"]
    assert len(_unpacked(gzip.compress(bytes(5 * MIB)), "gzip")) == 5 * MIB  # zeros are no bomb, up to a size


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip;q=0.5, identity", "gzip;q=1.0, *;q=0"])
def test_large_answers_are_packed_for_who_asks(encoding: str, shelf: "Shelf", ours: Server) -> None:
    body = json.dumps({"inputs": np.arange(40_000).tolist()}).encode()
    plain = ours(shelf.echo).post("/invocations", body, accept_encoding="identity")
    answer = ours(shelf.echo).post("/invocations", body, accept_encoding=encoding)  # httpx unpacks it
    assert answer.json() == plain.json()
    wanted = None if "identity" in encoding else encoding.partition(";")[0]
    assert (answer.headers.get("content-encoding"), plain.headers.get("content-encoding")) == (wanted, None)


def test_small_answers_are_not_packed(shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.iris).post("/invocations", BODY, accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
