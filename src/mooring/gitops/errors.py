"""Why a repository could not be read, in words for whoever set it up."""


class GitError(Exception):
    """The message says what failed and what to do. It never holds credentials: git is not given any to repeat."""
