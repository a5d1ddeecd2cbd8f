"""Links to files that work without a key, for a week: whoever has one may see this one file."""

from __future__ import annotations

import hmac
from urllib.parse import quote

__all__ = ["LIFE_S", "Links"]

LIFE_S = 7 * 24 * 3600


class Links:
    """Signed with a secret that all processes of a host share."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, owner: str, handle: str, name: str, now: float) -> str:
        """The address of a file, without a host. `owner` is the name of the user's folder."""
        expires = int(now) + LIFE_S
        mark = f"{owner}-{self._sign(owner, handle, expires)}"
        return f"/files/{handle}/{quote(name)}?expires={expires}&signature={mark}"

    def owner(self, handle: str, expires: str, signature: str, now: float) -> str | None:
        """Whose file it is; None where the link is not ours or is too old."""
        owner, _, mark = signature.partition("-")
        if not (expires.isascii() and expires.isdigit() and len(expires) < 13 and int(expires) >= now):
            return None
        good = hmac.compare_digest(mark.encode(), self._sign(owner, handle, int(expires)).encode())
        return owner if good else None

    def _sign(self, owner: str, handle: str, expires: int) -> str:
        return hmac.new(self._secret, f"{owner}/{handle}/{expires}".encode(), "sha256").hexdigest()
