"""Two sockets, and what goes from each to the other."""

import errno
import select
import socket
import struct

Target = str | tuple[str, int]
"""The path of a unix socket, or an address."""

_READ = select.EPOLLIN
_GONE = select.EPOLLHUP | select.EPOLLERR
_CHUNK_BYTES = 1 << 17
_AT_ONCE = struct.pack("ii", 1, 0)
_chunk = memoryview(bytearray(_CHUNK_BYTES))
"""One for all: what cannot be passed on at once is copied."""


class Pair:
    """A connection that was accepted, and the one that it leads to.

    `events` says per descriptor what epoll has to wait for (None: nothing, not even for its end). Of each direction at
    most one chunk is held; nothing more is read until it has been passed on.
    """

    def __init__(self, client: socket.socket, target: Target) -> None:
        """Raises OSError when the target cannot even be tried."""
        family = socket.AF_UNIX if isinstance(target, str) else socket.AF_INET
        server = socket.socket(family, socket.SOCK_STREAM)
        client.setblocking(False)
        server.setblocking(False)
        for each in (client, server):
            if each.family == socket.AF_INET:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = server.connect_ex(target)
        if failure not in (0, errno.EINPROGRESS):
            server.close()
            raise OSError(failure, "cannot connect")
        self._connecting = server if failure else None
        self._from = {client.fileno(): client, server.fileno(): server}
        self._to = {client.fileno(): server, server.fileno(): client}
        self._rest: dict[int, bytes] = {}
        self._over: set[int] = set()
        if failure:
            self.events: dict[int, int | None] = {client.fileno(): None, server.fileno(): select.EPOLLOUT}
        else:
            self.events = dict.fromkeys(self._from, _READ)

    def move(self, descriptor: int, events: int) -> bool:
        """React to what epoll said; False when both directions are over."""
        if self._connecting:
            return self._connected(self._connecting)
        try:
            if events & select.EPOLLOUT:
                self._write(self._to[descriptor].fileno())
            if events & (_READ | _GONE) and descriptor not in self._rest:
                self._read(descriptor)  # also of one that is gone: it may have said something before
        except OSError:
            self._break()
            return False
        if events & _GONE:
            return self._hung_up(descriptor)
        return len(self._over) < 2

    def close(self) -> None:
        """Both."""
        for each in self._from.values():
            each.close()

    def _connected(self, server: socket.socket) -> bool:
        if server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        self._connecting = None
        self.events = dict.fromkeys(self._from, _READ)
        return True

    def _read(self, source: int) -> None:
        """Raises OSError when the connection is broken."""
        if source in self._over:
            return
        try:
            count = self._from[source].recv_into(_chunk)
        except BlockingIOError:
            return
        if count:
            self._pass_on(source, _chunk[:count])
        else:
            self._end(source)

    def _pass_on(self, source: int, content: "memoryview | bytes") -> None:
        try:
            sent = self._to[source].send(content)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._stop(source)
            return
        target = self._to[source].fileno()
        if sent < len(content):
            self._rest[source] = bytes(content[sent:])
            self._wait(source, _READ, wanted=False)
            self._wait(target, select.EPOLLOUT, wanted=True)
        elif source in self._rest:
            del self._rest[source]
            self._wait(source, _READ, wanted=True)
            self._wait(target, select.EPOLLOUT, wanted=False)

    def _write(self, source: int) -> None:
        rest = self._rest.get(source)
        if rest is not None:
            self._pass_on(source, rest)

    def _end(self, source: int) -> None:
        """It has said all that it will say; the other may still answer."""
        self._stop(source)
        try:
            self._to[source].shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise

    def _stop(self, source: int) -> None:
        """Nothing more goes in this direction. (Who does not listen any more may still have something to say.)"""
        self._over.add(source)
        if self._rest.pop(source, None) is not None:
            self._wait(self._to[source].fileno(), select.EPOLLOUT, wanted=False)
        self._wait(source, _READ, wanted=False)

    def _wait(self, descriptor: int, event: int, *, wanted: bool) -> None:
        events = self.events[descriptor]
        if wanted:
            self.events[descriptor] = (events or 0) | event
        elif events is not None:
            self.events[descriptor] = events & ~event

    def _hung_up(self, descriptor: int) -> bool:
        """It is gone in both directions, which epoll would go on saying."""
        if descriptor in self._rest:
            self.events[descriptor] = None  # what it has said last still has to be passed on; then we are called again
            return True
        return descriptor not in self._over  # else there is more to be read

    def _break(self) -> None:
        """The other side must not take this for a proper end."""
        for each in self._from.values():
            if each.family == socket.AF_INET:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
