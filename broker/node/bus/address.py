"""Where a server is, and which servers may be dialled at all.

Owns the refusal of plaintext: what a setting names is `tls://` or `wss://`, whatever else it says. Plaintext exists for
tests, on this machine, and only for a caller that names it (`access.PLAINTEXT`). Refuses to know how dialling is done.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from schemas.failures import Rejected

DEFAULT_PORTS: Final = {"tls": 4222, "wss": 443, "nats": 4222, "http": 3128}
"""NATS's registered client port, HTTPS's, and the one that most forwarding proxies listen on."""
MAX_URL_CHARS: Final = 512

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


class BadBusUrl(Rejected):
    """The bus's URL is not of the form that is asked for, and nothing else."""

    code = "bad_bus_url"


class PlaintextRefused(Rejected):
    """The bus's URL names a connection without TLS."""

    code = "bus_plaintext_refused"


class NotLoopback(Rejected):
    """A connection without TLS was asked for, to another machine."""

    code = "bus_not_loopback"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server that may be dialled."""

    scheme: str
    host: str
    port: int
    path: str = ""
    """Of a WebSocket: a reverse proxy may tell its back ends apart by it."""

    @property
    def is_websocket(self) -> bool:
        """Whether NATS is spoken inside a WebSocket there."""
        return self.scheme == "wss"

    @property
    def is_encrypted(self) -> bool:
        """Whether the first byte after the connection is TLS's."""
        return self.scheme != "nats"

    @property
    def authority(self) -> str:
        """Host and port, as an HTTP proxy is asked for them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address as text."""
        return f"{self.scheme}://{self.authority}{self.path}"


def read_address(url: str, *, setting: str) -> ServerAddress:
    """Read the URL that the operator configured under the name `setting`: `tls://host[:port]`, `wss://host[:port][/path]`.

    Raises:
        PlaintextRefused: `nats://` or `ws://`, even on this machine.
        BadBusUrl: another scheme, credentials, or no usable host, port or path. The URL itself is not repeated.
    """
    parts = _split(url, setting, "tls://bus.hub.example:4222")
    if parts.scheme in ("nats", "ws", "http"):
        raise PlaintextRefused(
            f"{setting} names a connection without TLS; write tls:// (or wss:// where only port 443 is open)"
        )
    if parts.scheme not in ("tls", "wss"):
        raise BadBusUrl(f"{setting} must begin with tls:// or wss://")
    return _address(parts, setting)


def read_plaintext_address(url: str, *, setting: str) -> ServerAddress:
    """Read a URL `nats://127.0.0.1:port` that a test, or what starts the server itself, dials without TLS.

    Raises:
        BadBusUrl: as `read_address`.
        NotLoopback: a host outside 127.0.0.0/8, ::1 and `localhost`.
    """
    parts = _split(url, setting, "nats://127.0.0.1:4222")
    if parts.scheme != "nats":
        raise BadBusUrl(f"{setting} must begin with nats://")
    address = _address(parts, setting)
    if not _is_loopback(address.host):
        raise NotLoopback(f"{setting} names another machine; without TLS only this one is dialled")
    return address


def read_proxy(url: str, *, setting: str) -> ServerAddress:
    """Read the URL `http://host[:port]` of a proxy that connects through (HTTP CONNECT, RFC 9110 section 9.3.6).

    Raises:
        BadBusUrl: as `read_address`.
    """
    parts = _split(url, setting, "http://proxy.agency.example:3128")
    if parts.scheme != "http":
        raise BadBusUrl(f"{setting} must begin with http://; what goes through the proxy is encrypted all the same")
    return _address(parts, setting)


def _split(url: str, setting: str, example: str) -> SplitResult:
    # Before anything is parsed: urlsplit drops tabs and line ends, and would read another URL than the one written.
    if len(url) > MAX_URL_CHARS or not _PRINTABLE.fullmatch(url):
        raise BadBusUrl(f"{setting} is not a URL; write for example {example}")
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port
    except ValueError:
        raise BadBusUrl(f"{setting} is not a URL; write for example {example}") from None
    if "@" in parts.netloc:
        raise BadBusUrl(f"{setting} holds credentials; a URL ends up in logs and process lists, so take them out")
    if "?" in url or "#" in url:
        raise BadBusUrl(f"{setting} must end after the port")
    if not parts.scheme or not parts.netloc:
        raise BadBusUrl(f"{setting} is not a URL; write for example {example}")
    return parts


def _address(parts: SplitResult, setting: str) -> ServerAddress:
    path = "" if parts.path == "/" else parts.path
    may_have_path = parts.scheme == "wss" and _PATH.fullmatch(path) is not None
    if path and not may_have_path:
        raise BadBusUrl(f"{setting} must end after the port")
    host, port = parts.hostname, parts.port
    if not host or port == 0 or not _is_host(host):
        raise BadBusUrl(f"{setting} names no host, or port 0")
    return ServerAddress(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port, path)


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return "%" not in host  # a zone holds on one machine only, and no certificate names it
    labels = host.removesuffix(".").split(".")
    # A last label of digits would be read as a number by some resolvers and as a name by the certificate check.
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
