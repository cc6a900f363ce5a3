"""Compressed bodies: requests unpacked within bounds, large answers packed for who asks."""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Mapping

from mooring.modelserver.errors import InvalidInput, TooLarge, UnsupportedMediaType
from mooring.modelserver.http import Response
from mooring.modelserver.preferences import preferred

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
"""`wbits`: what stands around the deflated data."""
_PIECE, _SLICE = 1 << 20, 1 << 16
_MOST_MEMBERS = 16384
"""Of one body. Each costs some microseconds, however little it holds."""
_LARGEST_RATIO = 250
"""Of real data, hardly any text goes beyond 50."""
_ALWAYS_TAKEN = 8 << 20
"""Up to here no ratio is suspicious: a tensor of zeros is packed a thousandfold."""
WORTH_PACKING = 64 << 10
_TEXTS = ("application/json", "text/csv")
"""Raw numbers hardly get smaller, and many clients ask for compression without knowing what of."""


def encoding_of(content_encoding: str | None) -> str | None:
    """The encoding of a body; None when it is sent as it is. Raises UnsupportedMediaType for others."""
    encoding = (content_encoding or "identity").strip().lower()
    if encoding == "identity":
        return None
    if encoding not in _UNPACK:
        raise UnsupportedMediaType(f"content encoding '{encoding[:60]}' is not supported: use {', '.join(_UNPACK)}")
    return encoding


async def unpacked(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body as it was before its encoding.

    Raises InvalidInput when it is broken, TooLarge beyond `limit` bytes or for a ratio that only a bomb has.
    """
    if encoding is None:
        return body
    return await asyncio.to_thread(_gathered, _UNPACK[encoding](body), len(body), limit)


async def packed(response: Response, accept_encoding: str | None) -> Response:
    """The same answer, packed when it is a large text and the caller names an encoding that we have."""
    if not accept_encoding or len(response.body) < WORTH_PACKING or response.content_type not in _TEXTS:
        return response
    encoding = preferred(accept_encoding, (*_PACK, "identity"))
    pack = _PACK.get(encoding or "identity")
    if pack is None:
        return response
    headers = (*response.headers, ("content-encoding", str(encoding)), ("vary", "accept-encoding"))
    body = await asyncio.to_thread(pack, response.body)
    return Response(body, response.status, response.content_type, headers)


def _gathered(pieces: Iterator[bytes], packed_bytes: int, limit: int) -> bytes:
    most = min(limit, max(_ALWAYS_TAKEN, _LARGEST_RATIO * packed_bytes))
    gathered, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TooLarge(limit)
        if size > most:
            raise TooLarge(limit, f"the body unpacks to more than {_LARGEST_RATIO} times its size: send it as it is")
        gathered.append(piece)
    return b"".join(gathered)


def _gunzipped(body: bytes) -> Iterator[bytes]:
    return _inflated(body, _GZIP)


def _deflated(body: bytes) -> Iterator[bytes]:
    """With zlib's head, as the standard says, or without, as some senders have it."""
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflated(body, _ZLIB if is_zlib else _RAW_DEFLATE)


def _inflated(body: bytes, wbits: int) -> Iterator[bytes]:
    """Fed in slices: what is not taken at once is copied with each call."""
    unpacker, members = zlib.decompressobj(wbits), 1
    for start in range(0, len(body), _SLICE):
        rest = body[start : start + _SLICE]
        while rest:
            if unpacker.eof:  # gzip may have several members, one behind the other
                unpacker, members = zlib.decompressobj(wbits), members + 1
                if wbits != _GZIP or members > _MOST_MEMBERS:
                    raise InvalidInput("too much follows after the end of the compressed body")
            yield _piece(unpacker, rest)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
    while not unpacker.eof:
        piece = _piece(unpacker, b"")
        if not piece and not unpacker.eof:
            raise InvalidInput("the compressed body ends too early")
        yield piece


def _piece(unpacker: "zlib._Decompress", packed: bytes) -> bytes:
    try:
        return unpacker.decompress(packed, _PIECE)
    except zlib.error as error:
        raise InvalidInput(f"the compressed body is broken: {error}") from None


def _unzstd(body: bytes) -> Iterator[bytes]:
    # Not above: a tenth of a second, and hardly anybody sends this.
    import pyarrow

    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(body), "zstd") as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except (OSError, pyarrow.ArrowException) as error:
        raise InvalidInput(f"the compressed body is broken: {error}") from None


def _zstd(body: bytes) -> bytes:
    import pyarrow

    compressed: bytes = pyarrow.compress(body, codec="zstd", asbytes=True)
    return compressed


_UNPACK: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gunzipped, "x-gzip": _gunzipped, "deflate": _deflated, "zstd": _unzstd,
}  # fmt: skip
_PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": _zstd,
    "gzip": lambda body: zlib.compress(body, 1, _GZIP),
    "deflate": lambda body: zlib.compress(body, 1, _ZLIB),
}
