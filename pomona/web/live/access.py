"""Who may talk to the server: its own page, and elsewhere than on this machine only with the token."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from pomona.web.live.settings import LOOPBACK_NAMES


@dataclass(frozen=True)
class Access:
    """The rule of one server; `token` is None when it listens on this machine's own address alone."""

    token: str | None = None

    def refused_host(self, host: str) -> str | None:
        """Why a request with this Host header is refused, or None.

        A foreign name on a loopback server means that a web page has pointed a name of its own at it.
        """
        if self.token is None and _name(host) not in LOOPBACK_NAMES:
            return "this server answers to localhost only"
        return None

    def refused_origin(self, host: str, origin: str | None) -> str | None:
        """Why a page from `origin` may not talk to the server called `host`, or None.

        Browsers always send an origin; a program that sends none is no web page, and is let in.
        """
        if origin is None or _place(origin) == _place(f"//{host}"):
            return None
        return "pages from elsewhere may not use this camera server"

    def refused_token(self, given: str) -> str | None:
        """Why this token is not enough, or None."""
        if self.token is None or hmac.compare_digest(self.token.encode(), given.encode()):
            return None
        return "the token is wrong: copy the whole address that `pomona live` printed"


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _place(address: str) -> tuple[str | None, int | None] | None:
    try:
        parts = urlsplit(address)
        port = None if parts.port in (80, 443) else parts.port
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None
