"""Why a repository could not be read, in words for whoever set it up."""


class GitError(Exception):
    """The message says what failed and what to do. It never holds credentials: git is not given any to repeat."""


class TooMuch(GitError):
    """git wanted to write more than it may: a repository can be made so that a few bytes unfold without end."""


class Unclear(GitError):
    """git failed with words that nobody has put into ours: what is on this machine may be damaged."""
