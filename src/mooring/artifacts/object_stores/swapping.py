"""Putting something where something else is, of whatever kind both are, without a moment in which nothing is there."""

import ctypes
import errno
import os

_EXCHANGE = 2
_CANNOT = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


def put_in_place(folder: int, name: str, target_folder: int, target: str) -> None:
    """Rename; what was at the target is afterwards at the place that the new came from. Raises OSError.

    The two folders are descriptors, of one file system.
    """
    try:
        os.stat(target, dir_fd=target_folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(name, target, src_dir_fd=folder, dst_dir_fd=target_folder)
        return
    try:
        _exchange(folder, name, target_folder, target)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        _exchange_in_steps(folder, name, target_folder, target)


def _exchange(folder: int, name: str, target_folder: int, target: str) -> None:
    # Python knows renameat2 only by way of the C library.
    library = ctypes.CDLL(None, use_errno=True)
    done = library.renameat2(folder, os.fsencode(name), target_folder, os.fsencode(target), _EXCHANGE)
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def _exchange_in_steps(folder: int, name: str, target_folder: int, target: str) -> None:
    """For file systems that cannot do it in one."""
    aside = f"{name}.old"
    os.rename(target, aside, src_dir_fd=target_folder, dst_dir_fd=folder)
    os.rename(name, target, src_dir_fd=folder, dst_dir_fd=target_folder)
    os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
