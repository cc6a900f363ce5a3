"""Access tokens: the one family of shapes with underscores, because OAuth 2 has them."""

from pydantic import BaseModel


class Token(BaseModel):
    """A token. `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    jti: str


class TokenRefusal(BaseModel):
    """Why there is no token, in the words of OAuth 2."""

    error: str
    error_description: str


class KeySet(BaseModel):
    """A JWKS document."""

    keys: list[dict[str, str]]
