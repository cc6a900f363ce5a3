"""Where a job's input has to lie when it is one object: as a file, or in a folder under its own name."""

from pathlib import Path, PurePosixPath

_ARCHIVES = (".tgz", ".tar.gz")


def goes_into_a_folder(fetched: Path, key: str, path: str, *, unpacked: bool) -> bool:
    """Whether the object at `key` is put into a folder at `path`, under its own name.

    People bind single files to what their programs list as a folder (the AI API's own example does), while Argo puts
    the object exactly at `path`. So the names decide: `/app/data` has no suffix and `example.txt` has one. What was
    unpacked has no name any more.
    """
    if not fetched.is_file() or (unpacked and key.lower().endswith(_ARCHIVES)):
        return False
    return bool(PurePosixPath(key).suffix) and not PurePosixPath(path).suffix


def put_into_a_folder(fetched: Path, key: str) -> None:
    """`fetched` becomes a folder with the file in it. Raises OSError."""
    file = fetched.with_name(f"{fetched.name}.file")
    fetched.rename(file)
    fetched.mkdir()
    file.rename(fetched / PurePosixPath(key).name)
