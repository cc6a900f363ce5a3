"""Connections passed on between a sandbox and what is outside, without looking into them."""

import errno
import select
import socket
import time

from mooring.runtimes.sandbox.inside.pair import Pair, Target

_ASK_SECONDS = 0.02
_PAUSE_SECONDS = 0.05
_BACKLOG = 1024
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Relay:
    """Every connection to a listener becomes one to its target. One thread; what is held per connection is bounded.

    `wakeup` is a descriptor of somebody else: `turn` returns when it is readable.
    """

    def __init__(self, wakeup: int) -> None:
        self._epoll = select.epoll()
        self._epoll.register(wakeup, select.EPOLLIN)
        self._wakeup = wakeup
        self._targets: dict[int, tuple[socket.socket, Target]] = {}
        self._pairs: dict[int, Pair] = {}
        self._unanswered: tuple[socket.socket, int] | None = None
        self._accept_again_at = 0.0

    def serve(self, descriptor: int, port: int) -> None:
        """What connects to this bound unix socket reaches `port` inside. It listens as soon as somebody does there."""
        listener = socket.socket(fileno=descriptor)
        listener.setblocking(False)
        self._unanswered = listener, port

    def offer(self, port: int, path: str) -> None:
        """What connects to `port` inside reaches the unix socket at `path`."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.setblocking(False)
        self._listen(listener, path)

    def turn(self, seconds: float) -> None:
        """Pass on whatever can be passed on; waits at most so long for something."""
        if self._unanswered:
            self._ask()
            seconds = _ASK_SECONDS
        if self._accept_again_at:
            seconds = min(seconds, _PAUSE_SECONDS)
            self._resume()
        for descriptor, events in self._epoll.poll(seconds):
            if pair := self._pairs.get(descriptor):
                self._move(pair, descriptor, events)
            elif descriptor in self._targets:
                self._accept(*self._targets[descriptor])

    def finish(self, seconds: float) -> None:
        """The server is gone: take no more connections, and pass on what it has said last."""
        for listener, _ in self._targets.values():
            listener.close()
        self._targets.clear()
        self._epoll.unregister(self._wakeup)
        self._unanswered, self._accept_again_at = None, 0.0
        deadline = time.monotonic() + seconds
        while self._pairs and (left := deadline - time.monotonic()) > 0:
            self.turn(left)

    def _listen(self, listener: socket.socket, target: Target) -> None:
        listener.listen(_BACKLOG)
        self._targets[listener.fileno()] = listener, target
        self._epoll.register(listener.fileno(), select.EPOLLIN)

    def _ask(self) -> None:
        assert self._unanswered  # noqa: S101 (for the type checker)
        listener, port = self._unanswered
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as question:
            question.setblocking(False)
            if question.connect_ex(("127.0.0.1", port)) == errno.EINPROGRESS:
                select.select([], [question], [], _ASK_SECONDS)
                if question.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    return
            try:
                if question.getpeername() == question.getsockname():
                    return  # the kernel may connect a socket with itself where nobody listens
            except OSError:
                return
        self._unanswered = None
        self._listen(listener, ("127.0.0.1", port))

    def _accept(self, listener: socket.socket, target: Target) -> None:
        try:
            client = listener.accept()[0]
        except OSError as error:
            if error.errno in _OUT_OF_DESCRIPTORS:
                self._pause()
            return
        try:
            pair = Pair(client, target)
        except OSError as error:
            client.close()
            if error.errno in _OUT_OF_DESCRIPTORS:
                self._pause()
            return
        for descriptor, wanted in pair.events.items():
            self._pairs[descriptor] = pair
            self._change(descriptor, None, wanted)

    def _pause(self) -> None:
        """Others wait in the kernel's queue until a connection has ended."""
        self._accept_again_at = time.monotonic() + _PAUSE_SECONDS
        for descriptor in self._targets:
            self._epoll.modify(descriptor, 0)

    def _resume(self) -> None:
        if time.monotonic() >= self._accept_again_at:
            self._accept_again_at = 0.0
            for descriptor in self._targets:
                self._epoll.modify(descriptor, select.EPOLLIN)

    def _move(self, pair: Pair, descriptor: int, events: int) -> None:
        before = dict(pair.events)
        if pair.move(descriptor, events):
            for each, wanted in pair.events.items():
                if wanted != before[each]:
                    self._change(each, before[each], wanted)
            return
        for each, wanted in before.items():
            del self._pairs[each]
            self._change(each, wanted, None)
        pair.close()

    def _change(self, descriptor: int, before: int | None, wanted: int | None) -> None:
        if wanted is None:
            if before is not None:
                self._epoll.unregister(descriptor)
        elif before is None:
            self._epoll.register(descriptor, wanted)
        else:
            self._epoll.modify(descriptor, wanted)
