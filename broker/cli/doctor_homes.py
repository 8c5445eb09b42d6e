"""The doctor on a hub's directories: what is there, who can read it, what is configured, what time it is."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from broker.cli.checked import NotWell, Warned
from broker.client.hub import LOOPBACK, Hub
from broker.coordinator.config import CoordinatorSettings
from broker.desk.config import DeskSettings
from broker.node.bus.address import read_plaintext_address
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.settings import load_settings
from schemas.messages.party import PartyKind
from schemas.vocabulary import Rag


def check_homes(hub: Hub) -> str:
    """Both homes hold a party of their kind, and of the same hub."""
    coordinator, desk = hub.coordinator.own().statement, hub.desk.own().statement
    for statement, kind in ((coordinator, PartyKind.COORDINATOR), (desk, PartyKind.DESK)):
        if statement.party_kind is not kind:
            raise NotWell(f"{hub.path / kind} is the home of a {statement.party_kind}; was a directory moved?")
    if coordinator.hub != desk.hub:
        raise NotWell(f"coordinator is of hub {coordinator.hub}, desk of hub {desk.hub}; they belong to one")
    return f"coordinator and desk of hub {coordinator.hub}"


def check_permissions(hub: Hub) -> str | Warned:
    """Nobody but the owner can read homes, keys and stores; the IG lead's key is not left lying here."""
    for path in _private(hub):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise NotWell(f"{path} can be read by others; run: chmod go= {path}")
    if (hub.path / "ig-lead.key").exists():
        return Warned(f"owner-only; {hub.path / 'ig-lead.key'} is still here: have the hub's IG lead take it")
    return "homes, keys and stores are owner-only"


def _private(hub: Hub) -> Iterator[Path]:
    for home in (hub.coordinator, hub.desk):
        yield home.path
        yield home.path / "keys"
        yield home.socket_path.parent
        yield from sorted((home.path / "keys").glob("*"))
        yield from sorted(home.path.glob("store.sqlite*"))
        yield home.path / "officers.json"
    yield hub.path / "ig-lead.key"


def check_settings(hub: Hub) -> str | Warned:
    """Every file holds, and all of them name one bus."""
    chosen = hub.settings().bus
    coordinator = load_settings(hub.coordinator.config_path, CoordinatorSettings)
    desk = load_settings(hub.desk.config_path, DeskSettings)
    url = chosen.url or f"nats://{LOOPBACK}:{chosen.embedded_port}"
    for settings, home in ((coordinator, hub.coordinator), (desk, hub.desk)):
        read_plaintext_address(settings.bus.url, setting=f"{home.config_path}: bus.url")
        if settings.bus.url != url:
            raise NotWell(f"{home.config_path}: bus.url is another than in {hub.path / 'hub.toml'}; make them the same")
    without = [str(rag) for rag in Rag if rag not in desk.deadlines]
    if without:
        return Warned(f"{hub.desk.config_path}: no clock for {', '.join(without)}; such requests must name their times")
    return f"bus {url}, a clock for each rating"


def check_clock(hub: Hub, now: int) -> str:
    """The clock does not stand before what was signed here, or by a party that was met."""
    for home in (hub.coordinator, hub.desk):
        for party in home.directory().parties.values():
            if party.statement.issued_at > now + PERMITTED_SKEW_MS:
                raise NotWell(
                    f"the file of {party.id} was made {_text(party.statement.issued_at)}, which lies ahead: "
                    "set this machine's clock by NTP (timedatectl), or have that party set its own"
                )
    return f"{_text(now)}, after every file that is pinned was made"


def check_users(hub: Hub) -> str | Warned:
    """Coordinator and desk are meant to be two users of the operating system."""
    if hub.coordinator.path.stat().st_uid == hub.desk.path.stat().st_uid:
        return Warned("coordinator and desk share a user: whoever is that user can read what both hold")
    return "coordinator and desk are two users"


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
