"""Making a hub's directory: three homes that know each other, the bus's keys and authority, an embedded server's files.

What `broker init` and the demonstration do; it asks nobody and prints nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from broker.client.hub import Hub
from broker.enrolment.at_rest.founding import found, identity_of
from broker.enrolment.configuration.files import Node, write_servers
from broker.enrolment.configuration.names import note_servers
from broker.enrolment.tls.authorities import Authorities
from broker.node.bus.address import read_address
from broker.node.certificates import host_names
from broker.node.home import Home, PartyPlan, write_whole
from broker.node.wrapping_choice import keys_section
from schemas.failures import Failure
from schemas.messages.party import Party, PartyKind

EMBEDDED: Final = "hub-1"
"""The name of the embedded server."""
CLOCK_TABLE: Final = """
# Elapsed time, counted from when the enquiry was received. Working hours and calendars come later.
[deadlines.red]
deadline.elapsed_hours = 4
expiry.elapsed_hours = 24
[deadlines.amber]
deadline.elapsed_hours = 24
expiry.elapsed_hours = 72
[deadlines.green]
deadline.elapsed_hours = 72
expiry.elapsed_hours = 168
[deadlines.blue]
deadline.elapsed_hours = 72
expiry.elapsed_hours = 168
"""


def found_hub(
    hub: Hub,
    *,
    hub_id: str,
    name: str,
    urls: Sequence[str],
    now: int,
    embedded: Node | None = None,
    wrapping: str | None = None,
) -> list[Party]:
    """Make the three homes, pin them to each other, make everything of the bus.

    Args:
        urls: where parties dial; their hosts are those that the hub's authority may sign for.
        embedded: the one server that `broker run` starts, if it is to start one.
        wrapping: what the keys are sealed under from their first write on, in words of `keys.wrapping`; `{party}` in
            it is coordinator, desk or admission.

    Raises:
        HomeInvalid: there is a hub here already.
        SettingsInvalid, KeyStoreUnsafe, OsKeyStoreAway: the wrapping is none, or cannot be used; nothing is left.
        BadBusUrl, PlaintextRefused, HostInvalid: an address cannot be used; nothing was made.
    """
    hosts = list(dict.fromkeys(read_address(url, setting="--bus-url").host for url in urls))
    host_names(hosts)  # an address that cannot be used is refused before anything is made
    log = f"{hub_id}.hub.example/sharing-log"
    plans = {
        hub.coordinator: (PartyPlan(hub_id, "coordinator", PartyKind.COORDINATOR, name, log=log), None),
        hub.desk: (PartyPlan(hub_id, "desk", PartyKind.DESK, name), hub.path / "ig-lead.key"),
        hub.admission: (PartyPlan(hub_id, "admission", PartyKind.ADMISSION, name), None),
    }
    wrapped = {home: wrapping.replace("{party}", plan.party) if wrapping else None for home, (plan, _) in plans.items()}
    parties = _create(plans, wrapped, now)
    for home in parties:
        for other, party in parties.items():
            if other != home:
                home.pin(party.raw)
    found(hub.admission, [hub.coordinator, hub.desk], hosts=hosts, addresses=urls, now=now)
    listed = ", ".join(f'"{url}"' for url in urls)
    bus = f"[bus]\nurls = [{listed}]\n"
    elsewhere = "\n# Where agencies dial, if that is another address:\n# [admission]\n# addresses = []\n"
    for home, below in ((hub.coordinator, ""), (hub.desk, CLOCK_TABLE), (hub.admission, elsewhere)):
        write_whole(home.config_path, (bus + keys_section(wrapped[home]) + below).encode())
    chosen = f"urls = [{listed}]\n"
    if embedded is not None:
        chosen += f'embedded_port = {embedded.port}\nembedded_host = "{embedded.host}"\n'
        write_embedded(hub, embedded, now=now)
    write_whole(hub.path / "hub.toml", f"[bus]\n{chosen}".encode())
    return list(parties.values())


def _create(
    plans: Mapping[Home, tuple[PartyPlan, Path | None]], wrapped: Mapping[Home, str | None], now: int
) -> dict[Home, Party]:
    """Make all homes, or leave none of them."""
    fresh = [home for home in plans if not home.path.exists()]
    made: dict[Home, Party] = {}
    try:
        for home, (plan, lead) in plans.items():
            made[home] = home.create(plan, now=now, ig_lead_key=lead, wrapping=wrapped[home])
    except Failure:
        for home in fresh:
            if (lead := plans[home][1]) is not None and home in made:
                lead.unlink()
            shutil.rmtree(home.path, ignore_errors=True)
        raise
    return made


def write_embedded(hub: Hub, node: Node, *, now: int) -> Path:
    """Write the embedded server's files, or renew them: certificate and configuration are made anew, its key is kept.

    Returns:
        The configuration's path.
    """
    (written,) = write_bus(hub, [node], now=now)
    return written


def write_bus(hub: Hub, nodes: Sequence[Node], *, now: int) -> list[Path]:
    """Write the files of servers that run from the hub's directory, or renew them; the configurations' paths."""
    keys = hub.admission.keys_to_read()
    authorities = Authorities(hub.admission, keys)
    identity = identity_of(hub.admission, [hub.coordinator, hub.desk], keys, now=now)
    written = write_servers(hub.path / "bus", nodes, identity, authorities.issuing(), authorities.trusted(), now=now)
    note_servers(hub.admission, [node.name for node in nodes])
    return written


def bus_state(hub: Hub) -> frozenset[tuple[str, int]]:
    """What the servers' files follow from, as far as it can be seen from outside: another value, another key."""
    folder = hub.admission.path
    found = [*folder.glob("authority/*"), *folder.glob("bus-keys/*"), *folder.glob("keys/bus-*.key")]
    return frozenset((path.name, path.stat().st_mtime_ns) for path in found if path.exists())


def embedded_node(hub: Hub) -> Node | None:
    """The embedded server as `hub.toml` has it; None if the bus is somebody else's.

    Raises:
        SettingsInvalid: it is missing, or a key does not hold.
    """
    chosen = hub.settings().bus
    if chosen.embedded_port is None or not chosen.urls:
        return None
    return Node(EMBEDDED, chosen.embedded_host, port=chosen.embedded_port)
