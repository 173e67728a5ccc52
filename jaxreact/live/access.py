"""Who may talk to the server."""

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from jaxreact.errors import UserError

LEAST_TOKEN = 16
"""Characters."""


class Refused(Exception):
    """A request that may not be answered; its text says why, in one line."""


@dataclass(frozen=True)
class Access:
    """Rules for requests.

    A page of another site can reach a server on the loopback interface from its visitor's browser:
    by its address, with an Origin that gives it away, or by a name of its own that leads to
    127.0.0.1, with a Host that gives it away. So both must be ours.
    """

    host: str
    """The interface listened on."""
    names: tuple[str, ...] = ()
    """Further names under which the server is reached."""
    token: str | None = None
    """What clients must know."""

    def __post_init__(self) -> None:
        """Raises UserError for an interface that others reach, without a token."""
        if not is_loopback(self.host) and self.token is None:
            raise UserError(
                f"--host {self.host} is reached from other machines; give a --token of"
                f" {LEAST_TOKEN} characters or more that clients must know"
            )
        if self.token is not None and len(self.token) < LEAST_TOKEN:
            raise UserError(f"--token is shorter than {LEAST_TOKEN} characters; give a longer one")

    def check(self, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        """Raises Refused unless a request came by one of our names, from one of our pages or from
        no page, and knows the token."""
        self.check_names(headers)
        if self.token is None:
            return
        given = query.get("token") or headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Refused("the token is missing or wrong")

    def check_names(self, headers: Mapping[str, str]) -> None:
        """The same without the token."""
        host = headers.get("Host", "")
        if _name(f"//{host}") not in self._names:
            raise Refused(f"this server is not called {host or 'nothing'}")
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise Refused("this page belongs to another site")

    @property
    def _names(self) -> set[str]:
        own = {"localhost", "127.0.0.1", "::1"} if is_loopback(self.host) else {self.host}
        return {*own, *self.names}


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
