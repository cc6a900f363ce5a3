"""Many connections at once that send what they can of a request and never finish it."""

import selectors
import socket
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_PIECE = b"x" * 262_144
_TURN_SECONDS = 0.05


@dataclass
class _Sender:
    connection: socket.socket
    head: bytes
    left: int
    answer: bytes = b""

    @property
    def has_sent_all(self) -> bool:
        return not self.head and not self.left

    def send(self) -> None:
        if self.head:
            self.head = self.head[self.connection.send(self.head) :]
        elif self.left:
            self.left -= self.connection.send(_PIECE[: self.left])


@dataclass
class Flood:
    """`connections` requests to `port`, each `head` and `length` bytes of a body, from a thread of its own.

    Use it in a `with`: it goes on until the end of the block. Whoever is answered or cut off sends no more.
    """

    port: int
    head: bytes
    length: int
    connections: int
    _senders: list[_Sender] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(timeout=30)
        for sender in self._senders:
            sender.connection.close()
        self._selector.close()

    @property
    def connected(self) -> int:
        """How many connections were made so far."""
        return len(self._senders)

    @property
    def sent(self) -> int:
        """Bytes of bodies that were taken from us."""
        return sum(self.length - sender.left for sender in list(self._senders))

    @property
    def answered(self) -> int:
        """How many got an answer, or were cut off."""
        return sum(bool(sender.answer) for sender in list(self._senders))

    @property
    def statuses(self) -> set[bytes]:
        """The different statuses that were answered (a connection may also be reset before its answer is read)."""
        answers = [sender.answer for sender in list(self._senders)]
        return {answer.split()[1] for answer in answers if answer.startswith(b"HTTP/")}

    @property
    def is_settled(self) -> bool:
        """Whether everybody is connected and has sent everything or was answered."""
        return self.connected == self.connections and all(
            sender.has_sent_all or sender.answer for sender in self._senders
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._connect_some()
            for key, events in self._selector.select(_TURN_SECONDS):
                self._serve(key.data, events)

    def _connect_some(self) -> None:
        deadline = time.monotonic() + _TURN_SECONDS
        while self.connected < self.connections and time.monotonic() < deadline:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            connection.setblocking(False)
            sender = _Sender(connection, self.head, self.length)
            self._selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, sender)
            self._senders.append(sender)

    def _serve(self, sender: _Sender, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                sender.send()
            if events & selectors.EVENT_READ:
                sender.answer += sender.connection.recv(65536) or b"closed"
        except BlockingIOError:
            return
        except OSError as reason:
            sender.answer += repr(reason).encode()
        if sender.answer:
            self._selector.unregister(sender.connection)
        elif sender.has_sent_all:
            self._selector.modify(sender.connection, selectors.EVENT_READ, sender)
