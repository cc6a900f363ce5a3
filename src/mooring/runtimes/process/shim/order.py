"""What a shim is told: handed over in an anonymous file in memory, so that no secret of it is ever on a disk."""

import marshal
import os

_CHUNK_BYTES = 1 << 16
_PYTHON_WORDS = 3


class Order:
    """One program to start and how to watch it.

    `argv[0]` is looked up in the PATH of `env`, which is the whole environment. `memory_bytes` bounds the resident
    memory of the program and its descendants (None: no limit), `log_file_bytes` each of the two log files,
    `disk_bytes` what it writes to its folder and to the `folders` that it was given (None: no limit). `lock` is the
    inherited descriptor of the folder's lock. `module`: in a shim that a fork server has forked, the module whose
    `main` is the same program, called with `arguments`; if it is not ready in `warm_seconds`, `argv` is run after all.
    """

    def __init__(
        self,
        *,
        argv: list[str],
        env: dict[str, str],
        log: str,
        log_file_bytes: int,
        lock: int,
        memory_bytes: int | None,
        open_files: int,
        stop_grace_seconds: float,
        disk_bytes: int | None = None,
        folders: list[str] | None = None,
        module: str = "",
        arguments: list[str] | None = None,
        warm_seconds: float = 0.0,
    ) -> None:
        self.argv = argv
        self.env = env
        self.log = log
        self.log_file_bytes = log_file_bytes
        self.lock = lock
        self.memory_bytes = memory_bytes
        self.open_files = open_files
        self.stop_grace_seconds = stop_grace_seconds
        self.disk_bytes = disk_bytes
        self.folders = folders or []
        self.module = module
        self.arguments = arguments or []
        self.warm_seconds = warm_seconds

    def warmed(self, module: str, seconds: float) -> "Order":
        """The same for a shim that a fork server forks. The program is `python -m PROGRAM arguments`."""
        return Order(
            **{**vars(self), "module": module, "arguments": self.argv[_PYTHON_WORDS:], "warm_seconds": seconds}
        )


def to_descriptor(order: Order) -> int:
    """An open file (the caller closes it) from which `from_descriptor` reads the order."""
    descriptor = os.memfd_create("mooring-order")
    try:
        content = marshal.dumps(vars(order))
        while content:
            content = content[os.write(descriptor, content) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def from_descriptor(descriptor: int) -> Order:
    """Read an order that our own starter wrote with the same Python."""
    content = b"".join(iter(lambda: os.read(descriptor, _CHUNK_BYTES), b""))
    return Order(**marshal.loads(content))  # noqa: S302 (json would cost each shim 0.4 MB; the file is our own)
