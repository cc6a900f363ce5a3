"""What the three kinds of secrets share."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from mooring.api.schemas.common import Shape

SecretText = Annotated[str, StringConstraints(max_length=1_048_576, pattern=r"^[^\x00]*$")]
"""One value. It is never shown again."""


def _with_checked_keys(data: dict[str, str]) -> dict[str, str]:
    for key in data:
        if not 0 < len(key) <= 253 or not _is_plain(key) or key.startswith("..") or key == ".":
            raise ValueError(
                f"the key {key[:80]!r} must have 1 to 253 letters, digits, dots, underscores or hyphens, "
                "and cannot be a folder's name"
            )
    return data


def _is_plain(key: str) -> bool:
    return key.isascii() and all(character.isalnum() or character in "._-" for character in key)


SecretData = Annotated[dict[str, SecretText], AfterValidator(_with_checked_keys)]
"""`{key: value}`; containers get keys as names of variables or files."""


class Said(Shape):
    """The answer to a create: no id."""

    message: str
