"""Where the server is, and which servers may be dialled at all.

Owns the refusal to speak to anything but this machine while a connection is neither encrypted nor admitted. Refuses to
know how dialling is done.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from schemas.failures import Rejected

DEFAULT_PORT = 4222
"""NATS's registered client port."""


class BadBusUrl(Rejected):
    """The bus's URL is not `nats://host:port` and nothing else."""

    code = "bad_bus_url"


class NotLoopback(Rejected):
    """The bus's URL names another machine, and the connection has neither TLS nor an admission."""

    code = "bus_not_loopback"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server that may be dialled."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As nats-py wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"nats://{host}:{self.port}"


def read_address(url: str, *, setting: str) -> ServerAddress:
    """Read the URL that the operator configured under the name `setting`.

    Raises:
        BadBusUrl: another scheme, credentials, a path, or no usable host or port. The URL itself is not repeated.
        NotLoopback: a host outside 127.0.0.0/8, ::1 and `localhost`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadBusUrl(f"{setting} is not a URL; write nats://127.0.0.1:{DEFAULT_PORT}") from None
    if "@" in parts.netloc:
        raise BadBusUrl(f"{setting} holds credentials; a URL ends up in logs and process lists, so take them out")
    if parts.scheme != "nats":
        raise BadBusUrl(f"{setting} must begin with nats://")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadBusUrl(f"{setting} must end after the port")
    if not host or port == 0:
        raise BadBusUrl(f"{setting} names no host, or port 0")
    if not _is_loopback(host):
        raise NotLoopback(
            f"{setting} names another machine; TLS and an admission are needed first, until then use 127.0.0.1"
        )
    return ServerAddress(host=host, port=DEFAULT_PORT if port is None else port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
