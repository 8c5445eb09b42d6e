"""The configuration of an agency's own nats-server as a leaf node: one connection out, for any number of agents inside.

Owns its settings. All of it is public; private keys are files at the agency, which the configuration only names. The
server trusts the hub's operator and knows one account, the agency's, so that agents connect to it as they would to the
hub. It is not told the hub's account: then it would answer the agents' messages itself, instead of passing them on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from broker.enrolment.configuration.server import BusIdentity
from broker.node.bus.embedded import SERVER_MAX_PAYLOAD_BYTES

LEAF_FILES: Final = ("server.pem", "server.key", "client.pem", "client.key", "ca.pem", "leaf.creds", "account.conf")
"""What lies beside it at the agency (`agent leaf` writes them): its certificate for its agents, its certificate for the
hub, the hub's authorities (of its agents' certificates too), its credentials (`broker.node.bus.leaf`) and the claims of
its account, which change when the agency's keys do."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An agency's server."""

    listen: str
    """`host:port` for its agents."""
    remotes: Sequence[str]
    """`host:port` of each of the hub's servers, for leaf nodes."""
    account: str
    files: PurePath
    """The directory, at the agency, that `LEAF_FILES` lie in."""


def leaf_configuration(leaf: Leaf, identity: BusIdentity) -> str:
    """The text of its configuration file."""
    return "\n".join(_lines(leaf, identity)) + "\n"


def _lines(leaf: Leaf, identity: BusIdentity) -> Iterator[str]:
    def file(name: str) -> str:
        return json.dumps(str(leaf.files / name), ensure_ascii=False)

    yield "# Written by broker bus leaf, for one agency. Nothing in it is secret."
    yield 'server_name: "leaf"'
    yield f"listen: {json.dumps(leaf.listen)}"
    yield f"max_payload: {SERVER_MAX_PAYLOAD_BYTES}"
    yield 'ping_interval: "30s"'
    yield "ping_max: 1"
    yield "tls {"
    yield f"  cert_file: {file('server.pem')}"
    yield f"  key_file: {file('server.key')}"
    yield f"  ca_file: {file('ca.pem')}"
    yield "  verify: true"
    yield '  min_version: "1.3"'
    yield "  timeout: 3"
    yield "  handshake_first: true"
    yield "}"
    yield f"operator: {identity.operator}"
    yield f"system_account: {identity.system}"
    yield "resolver: MEMORY"
    yield "resolver_preload {"
    yield f"  {identity.system}: {identity.system_claims}"
    yield '  include "account.conf"'
    yield "}"
    yield "leafnodes {"
    yield "  remotes: ["
    yield "    {"
    yield f"      urls: [{', '.join(json.dumps(f'tls://{remote}') for remote in leaf.remotes)}]"
    yield f"      account: {leaf.account}"
    yield f"      credentials: {file('leaf.creds')}"
    yield "      tls {"
    yield f"        cert_file: {file('client.pem')}"
    yield f"        key_file: {file('client.key')}"
    yield f"        ca_file: {file('ca.pem')}"
    yield '        min_version: "1.3"'
    yield "        handshake_first: true"
    yield "      }"
    yield "    }"
    yield "  ]"
    yield "}"
