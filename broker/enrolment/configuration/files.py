"""What `broker bus config` writes: for each server a folder that nats-server starts from as it is.

Owns the folder: configuration, certificate, private key, the authorities' certificates. Refuses to know what the
configuration says (`broker.enrolment.configuration.server`). The private key is the server's alone, and the only secret
here.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from broker.enrolment.configuration.server import (
    CLIENT_PORT,
    CONFIG_NAME,
    ROUTE_PORT,
    BusIdentity,
    Cluster,
    Server,
    TlsFiles,
    configuration,
)
from broker.enrolment.tls.authority import Authority, read_request
from broker.node.tls_key import (
    TlsKeyUnsuitable,
    certificate_request,
    generate_tls_key,
    load_tls_key,
    private_bytes,
    public_of,
)
from schemas.failures import Failure

CERTIFICATE: Final = "server.pem"
KEY: Final = "server.key"
AUTHORITIES: Final = "ca.pem"
STORE: Final = "accounts"
FORMER: Final = "former.pin"
"""What the others knew a server by before its key was replaced: until all of them are reloaded, both are good."""


class ServerFilesInvalid(Failure):
    """A server's folder that cannot be written, or holds something else."""

    code = "server_files_invalid"


@dataclass(frozen=True, slots=True)
class Node:
    """One server of the bus, as it is reached."""

    name: str
    host: str
    """The DNS name or address by which parties and the other servers know it; its certificate is for this."""
    port: int = CLIENT_PORT
    route_port: int = ROUTE_PORT
    websocket_port: int | None = None
    leaf_port: int | None = None
    listens_on: str | None = None
    """The address to bind; None: `host` if it is one, else every address of the machine."""

    @property
    def bind(self) -> str:
        """The address to bind."""
        if self.listens_on is not None:
            return self.listens_on
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return "0.0.0.0"  # noqa: S104 - a server by name; what may be done on its ports, TLS and claims decide
        return self.host

    @property
    def url(self) -> str:
        """Where parties dial."""
        return f"tls://{_joined(self.host, self.port)}"


def write_servers(
    out: Path,
    nodes: Sequence[Node],
    identity: BusIdentity,
    authority: Authority,
    trusted: bytes,
    *,
    now: int,
    installed_in: Path | None = None,
    new_keys: Collection[str] = (),
) -> list[Path]:
    """Write one folder a server below `out`, and give the configurations' paths.

    A private key that is there already is kept, so that the servers' pins of each other stay true; certificate and
    configuration are written anew. So the same call again, with the same servers, renews them one by one.

    Args:
        trusted: the certificates, in PEM, of every authority whose parties may connect: two during a rotation.
        installed_in: where the folders will lie on the servers, if that is not `out`; the configuration names it.
        new_keys: the names of servers that are given another private key; the others take the one before as well,
            until they are written without this.

    Raises:
        ServerFilesInvalid: two servers of one name, or a folder that cannot be written. HostInvalid.
    """
    if len({node.name for node in nodes}) != len(nodes):
        raise ServerFilesInvalid("two servers of the same name; give each its own")
    if strange := set(new_keys) - {node.name for node in nodes}:
        raise ServerFilesInvalid(f"a new key is wanted for {', '.join(sorted(strange))}, which is none of the servers")
    try:
        former = [_former(out / node.name, is_new=node.name in new_keys) for node in nodes]
        keys = [_key(out / node.name) for node in nodes]
        pins = list(dict.fromkeys([*map(_pin, keys), *(pin for pin in former if pin)]))
        routes = [_joined(node.host, node.route_port) for node in nodes]
        written = []
        for node, key in zip(nodes, keys, strict=True):
            folder = out / node.name
            home = (installed_in or out.absolute()) / node.name
            cluster = Cluster(_joined(node.bind, node.route_port), routes, pins) if len(nodes) > 1 else None
            certificate = authority.issue_server(read_request(certificate_request(key)), [node.host], now=now)
            _write(folder / CERTIFICATE, certificate.public_bytes(Encoding.PEM))
            _write(folder / AUTHORITIES, trusted)
            _write(folder / CONFIG_NAME, configuration(_server(node, home, cluster), identity).encode("utf-8"))
            written.append(folder / CONFIG_NAME)
    except OSError as error:
        raise ServerFilesInvalid(f"{error.filename or out} cannot be written ({error.strerror})") from None
    return written


def _server(node: Node, home: Path, cluster: Cluster | None) -> Server:
    return Server(
        name=node.name,
        listen=_joined(node.bind, node.port),
        tls=TlsFiles(home / CERTIFICATE, home / KEY, home / AUTHORITIES),
        store=home / STORE,
        cluster=cluster,
        websocket=None if node.websocket_port is None else _joined(node.bind, node.websocket_port),
        leafnodes=None if node.leaf_port is None else _joined(node.bind, node.leaf_port),
    )


def _pin(key: bytes) -> str:
    return hashlib.sha256(public_of(key)).hexdigest()


def _former(folder: Path, *, is_new: bool) -> str:
    """Put a server's key away, if it is to have another; what the others knew it by, while both are good."""
    noted = folder / FORMER
    if not is_new:
        noted.unlink(missing_ok=True)
        return ""
    key = _pin(_key(folder))
    if not noted.exists():
        _write(noted, key.encode("ascii"))
    # A crash before this line: the key is still the one noted, and put away by the next call.
    before = noted.read_text("ascii")
    if key == before:
        (folder / KEY).unlink()
    return before


def _key(folder: Path) -> bytes:
    """The server's private key in DER, made if there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / KEY
    if not path.exists():
        key = load_tls_key(generate_tls_key())
        # In the clear, because nats-server reads no other: the folder is its user's alone.
        _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        found = load_pem_private_key(path.read_bytes(), password=None)
        der = found.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return private_bytes(load_tls_key(der))
    except (ValueError, TypeError, TlsKeyUnsuitable):
        raise ServerFilesInvalid(f"{path} holds no private key; move it away, and a new one is made") from None


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
