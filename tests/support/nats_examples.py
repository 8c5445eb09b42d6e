"""The examples of `deploy/nats/`, made by the code that makes the real ones: `python -m tests.support.nats_examples`.

Claims and keys stand as words, since an example that starts would be a bus whose operator everybody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from broker.enrolment.configuration.files import AUTHORITIES, CERTIFICATE, KEY, STORE
from broker.enrolment.configuration.leaf import Leaf, leaf_configuration
from broker.enrolment.configuration.server import BusIdentity, Cluster, Server, TlsFiles, configuration

FOLDER = Path(__file__).parents[2] / "deploy" / "nats"
IDENTITY = BusIdentity(
    operator="CLAIMS_OF_THE_OPERATOR",
    system="SYSTEM_ACCOUNT",
    system_claims="CLAIMS_OF_THE_SYSTEM_ACCOUNT",
    hub="ACCOUNT_OF_THE_HUB",
    hub_claims="CLAIMS_OF_THE_HUB",
)
HOME = Path("/etc/needtoknow-bus")


def server(name: str, **further: object) -> Server:
    """A server of the examples."""
    folder = HOME / name
    files = TlsFiles(folder / CERTIFICATE, folder / KEY, folder / AUTHORITIES)
    return Server(name, "0.0.0.0:4222", files, folder / STORE, **further)  # type: ignore[arg-type]


def examples() -> Mapping[str, str]:
    """The files, by name."""
    routes = [f"hub-{number}.example:6222" for number in (1, 2, 3)]
    pins = [f"SHA256_OF_THE_KEY_OF_HUB_{number}" for number in (1, 2, 3)]
    cluster = Cluster("0.0.0.0:6222", routes, pins)
    remotes = [f"hub-{number}.example:7422" for number in (1, 2, 3)]
    leaf = Leaf(
        "127.0.0.1:4222",
        remotes,
        "ACCOUNT_OF_THE_AGENCY",
        PurePosixPath("/etc/needtoknow-leaf"),
    )
    return {
        "one-node.conf": configuration(server("hub-1"), IDENTITY),
        "cluster-node.conf": configuration(server("hub-1", cluster=cluster), IDENTITY),
        "websocket-node.conf": configuration(server("hub-1", websocket="0.0.0.0:443"), IDENTITY),
        "leaf-accepting-node.conf": configuration(server("hub-1", leafnodes="0.0.0.0:7422"), IDENTITY),
        "agency-leaf-node.conf": leaf_configuration(leaf, IDENTITY),
    }


if __name__ == "__main__":
    for name, text in examples().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
