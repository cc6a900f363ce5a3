"""The templates that lie in a folder of a repository at a commit."""

from collections.abc import Iterator

from mooring.gitops.errors import GitError
from mooring.gitops.mirror import Mirror, TreeFile
from mooring.templates.errors import TemplateError
from mooring.templates.files import kind_of, name_of, read_templates
from mooring.templates.found_template import FoundTemplate

_ENDINGS = (".yaml", ".yml")
_MOST_FILES = 2000
_MOST_BYTES = 1024 * 1024
_MOST_BYTES_IN_ALL = 32 * 1024 * 1024


def read_folder(mirror: Mirror, commit: str, folder: str) -> list[FoundTemplate]:
    """All templates of the folder and those below it, by file. Raises GitError."""
    files = [file for file in mirror.files(commit, folder) if file.path.endswith(_ENDINGS)]
    if len(files) > _MOST_FILES:
        raise GitError(f"the folder holds {len(files)} YAML files; at most {_MOST_FILES} are read: name a smaller one")
    small = [file for file in files if file.size <= _MOST_BYTES]
    if sum(file.size for file in small) > _MOST_BYTES_IN_ALL:
        raise GitError(
            f"the folder's YAML files hold more than {_MOST_BYTES_IN_ALL // 1024**2} MiB: name a smaller one"
        )
    found = [item for file, content in mirror.contents(small) for item in _templates(file, content)]
    found += [_unreadable(file, "is larger than 1 MiB") for file in files if file.size > _MOST_BYTES]
    return sorted(found, key=lambda item: item.file)


def _templates(file: TreeFile, content: bytes) -> Iterator[FoundTemplate]:
    try:
        documents = read_templates(content)
    except TemplateError as error:
        yield _unreadable(file, str(error))
        return
    for document, result in documents:
        kind, name = kind_of(document), name_of(document)
        if isinstance(result, TemplateError):
            yield FoundTemplate(file.path, kind, name, problem=str(result))
        else:
            yield FoundTemplate(file.path, kind, name, result)


def _unreadable(file: TreeFile, problem: str) -> FoundTemplate:
    return FoundTemplate(file.path, "File", "", problem=problem.removeprefix(": "))
