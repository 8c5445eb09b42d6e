"""The configuration of a nats-server of the hub: one node, or one of a cluster (`deploy/nats/README.md`).

Owns every setting, and why. Refuses to know where keys come from, and who is admitted: accounts are pushed to running
servers, so no agency is ever in a configuration. `broker.enrolment.checks.configured` refuses what departs from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.node.bus.embedded import SERVER_MAX_PAYLOAD_BYTES

CONFIG_NAME: Final = "nats-server.conf"
CLIENT_PORT: Final = 4222
ROUTE_PORT: Final = 6222
LEAF_PORT: Final = 7422
WEBSOCKET_PORT: Final = 443
CLUSTER_NAME: Final = "hub"
ACCOUNTS_AT_MOST: Final = 20_000
"""Accounts that a server stores: every agency of the country, and every one that ever left."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where a server finds its certificate, its private key, and the authorities of its peers' certificates."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Cluster:
    """The way to the other servers."""

    listen: str
    routes: Sequence[str]
    """`host:port` of every server of the cluster; its own among them does no harm."""
    pins: Sequence[str]
    """The public keys of those servers: SHA-256 of their SubjectPublicKeyInfo, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class BusIdentity:
    """Whose bus it is: the claims that a server has before anybody tells it any. All of it is public."""

    operator: str
    system: str
    system_claims: str
    hub: str
    hub_claims: str


@dataclass(frozen=True, slots=True)
class Server:
    """One server."""

    name: str
    listen: str
    """`host:port`."""
    tls: TlsFiles
    store: Path
    """Where it keeps the accounts' claims."""
    cluster: Cluster | None = None
    websocket: str | None = None
    """`host:port` for sites that may only use 443; None for none."""
    leafnodes: str | None = None
    """`host:port` for agencies' own servers; None for none."""


def configuration(server: Server, identity: BusIdentity) -> str:
    """The text of the server's configuration file; nats-server starts with it as it is."""
    return "\n".join(_lines(server, identity)) + "\n"


def needs_restart(before: str, after: str) -> bool:
    """Whether a server takes that change of its configuration only at a restart: another operator, another system."""
    return _fixed(before) != _fixed(after)


def _fixed(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("operator:", "system_account:"))]


def _lines(server: Server, identity: BusIdentity) -> Iterator[str]:
    yield "# Written by broker bus config. To change it, run that again: broker bus check refuses what departs from it."
    yield f"server_name: {_text(server.name)}"
    yield f"listen: {_text(server.listen)}"
    yield f"max_payload: {SERVER_MAX_PAYLOAD_BYTES}"
    yield "# So that a flood of large messages ends the flooder before it ends the hub's own connections."
    yield "max_pending: 256MB"
    yield "# Longer than the clients' own interval, 25 s: a link is not asked at both ends. A dead one is known within"
    yield "# a minute and a half at this end, and within half a minute at the client's."
    yield 'ping_interval: "30s"'
    yield "ping_max: 1"
    yield "# Of a log_file, where one is set: a million strangers' bad handshakes, a line each, must not fill a disk."
    yield "logfile_size_limit: 64MB"
    yield "logfile_max_num: 8"
    yield "# No monitoring port: what it would tell, the system account tells, and only admission can ask there."
    yield "# No JetStream: nothing rests on the bus."
    yield ""
    yield "# Without handshake_first a client can be talked into plaintext before TLS begins."
    yield from _tls("tls", server.tls, is_first=True)
    if server.cluster is not None:
        yield ""
        yield from _cluster(server.cluster, server.tls)
    if server.websocket is not None:
        yield ""
        yield "websocket {"
        yield f"  listen: {_text(server.websocket)}"
        yield "  compression: false"
        yield from _indented(_tls("tls", server.tls, is_first=False))
        yield "}"
    if server.leafnodes is not None:
        yield ""
        yield "leafnodes {"
        yield f"  listen: {_text(server.leafnodes)}"
        yield "  no_advertise: true"
        yield from _indented(_tls("tls", server.tls, is_first=True))
        yield "}"
    yield ""
    yield f"operator: {identity.operator}"
    yield f"system_account: {identity.system}"
    yield "# A server that was away learns from the others within the interval what changed; admission tells it sooner."
    yield "resolver {"
    yield "  type: full"
    yield f"  dir: {_text(str(server.store))}"
    yield "  allow_delete: true"
    yield '  interval: "5s"'
    yield f"  limit: {ACCOUNTS_AT_MOST}"
    yield "}"
    yield "resolver_preload {"
    yield f"  {identity.system}: {identity.system_claims}"
    yield f"  {identity.hub}: {identity.hub_claims}"
    yield "}"


def _cluster(cluster: Cluster, tls: TlsFiles) -> Iterator[str]:
    yield "cluster {"
    yield f"  name: {CLUSTER_NAME}"
    yield f"  listen: {_text(cluster.listen)}"
    yield "  # Parties know the servers from their own configuration, not from whoever answers them."
    yield "  no_advertise: true"
    yield f"  routes: [{', '.join(_text(f'nats-route://{route}') for route in cluster.routes)}]"
    yield "  # These keys and no others: the authority signs for agencies too, and who is let in here hears all."
    yield from _indented(_tls("tls", tls, is_first=False, pins=cluster.pins))
    yield "}"


def _tls(name: str, files: TlsFiles, *, is_first: bool, pins: Sequence[str] = ()) -> Iterator[str]:
    yield f"{name} {{"
    yield f"  cert_file: {_text(str(files.certificate))}"
    yield f"  key_file: {_text(str(files.key))}"
    yield f"  ca_file: {_text(str(files.authority))}"
    yield "  verify: true"
    yield '  min_version: "1.3"'
    yield "  timeout: 3"
    if is_first:
        yield "  handshake_first: true"
    if pins:
        yield f"  pinned_certs: [{', '.join(_text(pin) for pin in pins)}]"
    yield "}"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _text(value: str) -> str:
    # JSON's strings are strings of this grammar too; a bare word could be read as a number or a variable.
    return json.dumps(value, ensure_ascii=False)
