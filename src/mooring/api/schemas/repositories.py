"""Git repositories."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from mooring.api.schemas.common import Shape
from mooring.domain.git_urls import LONGEST
from mooring.domain.gitops import Credentials, RepositoryStatus, is_private_key
from mooring.services.repositories import LONGEST_NAME

REPOSITORY_NAME_PATTERN = r"^[a-z0-9-]+$"
_LONGEST_PASSWORD = 5000


def _on_one_line(password: SecretStr) -> SecretStr:
    text = password.get_secret_value()
    if is_private_key(text):
        text = text.replace("\r", "").replace("\n", "").replace("\t", "")
    if any(character < " " or character == "\x7f" for character in text):
        raise ValueError("must not contain control characters (only a private key, for ssh, may have several lines)")
    return password


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=REPOSITORY_NAME_PATTERN)]
GivenUrl = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
# git asks for credentials line by line: a line's end inside of one would be another answer.
Username = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Password = Annotated[SecretStr, Field(max_length=_LONGEST_PASSWORD), AfterValidator(_on_one_line)]


class RepositoryModify(Shape):
    """The credentials that replace the present ones; both are empty for a repository that asks for none."""

    username: Username
    password: Password

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.username, self.password.get_secret_value())


class RepositoryCreate(RepositoryModify):
    """What is needed to add a repository, by https, http or ssh. Without a name, one is made of the url."""

    url: GivenUrl
    name: Name | None = None


class Repository(Shape):
    """A git repository; its credentials are never shown."""

    name: str
    url: str
    status: RepositoryStatus


class RepositoryList(Shape):
    """A page of repositories. `count` is the total when `$count=true` was asked for."""

    count: int
    resources: list[Repository]
