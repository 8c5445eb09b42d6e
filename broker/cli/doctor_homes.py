"""The doctor on a hub's directories: what is there, who can read it, what is configured, what time it is."""

from __future__ import annotations

import stat
from typing import Final

from broker.client.hub import Hub
from broker.coordinator.config import CoordinatorSettings
from broker.desk.config import DeskSettings
from broker.enrolment.config import AdmissionSettings
from broker.node.bus.address import read_address
from broker.node.doctor.checked import NotWell, Warned
from broker.node.settings import load_settings
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from schemas.vocabulary import Rag

ADMISSION_ALONE: Final = frozenset(
    {
        KeyPurpose.BUS_OPERATOR,
        KeyPurpose.BUS_OPERATOR_SIGNER,
        KeyPurpose.BUS_SYSTEM,
        KeyPurpose.BUS_SYSTEM_SIGNER,
        KeyPurpose.BUS_SYSTEM_USER,
        KeyPurpose.BUS_ACCOUNT,
        KeyPurpose.DIRECTORY,
        KeyPurpose.ADMISSION,
        KeyPurpose.TLS_AUTHORITY,
    }
)
"""Private keys that neither coordinator nor desk may hold: with them a thief of either could admit, expel or listen."""


def check_homes(hub: Hub) -> str:
    """Each home holds a party of its kind, and all of one hub."""
    homes = {
        PartyKind.COORDINATOR: hub.coordinator,
        PartyKind.DESK: hub.desk,
        PartyKind.ADMISSION: hub.admission,
    }
    hubs = set()
    for kind, home in homes.items():
        statement = home.own().statement
        hubs.add(statement.hub)
        if statement.party_kind is not kind:
            raise NotWell(f"{home.path} is the home of a {statement.party_kind}; was a directory moved?")
    if len(hubs) != 1:
        raise NotWell(f"the homes are of the hubs {', '.join(sorted(hubs))}; they belong to one")
    return f"coordinator, desk and admission of hub {hubs.pop()}"


def check_lead_key(hub: Hub) -> str | Warned:
    """The IG lead's key is not left lying here."""
    lead = hub.path / "ig-lead.key"
    if not lead.exists():
        return "the IG lead's private key is not on this machine"
    if stat.S_IMODE(lead.stat().st_mode) & 0o077:
        raise NotWell(f"{lead} can be read by others; run: chmod go= {lead}")
    return Warned(f"{lead} is still here: have the hub's IG lead take it")


def check_settings(hub: Hub) -> str | Warned:
    """Every file holds, and all of them name one bus."""
    chosen = hub.settings().bus
    coordinator = load_settings(hub.coordinator.config_path, CoordinatorSettings)
    desk = load_settings(hub.desk.config_path, DeskSettings)
    admission = load_settings(hub.admission.config_path, AdmissionSettings)
    homes = ((coordinator, hub.coordinator), (desk, hub.desk), (admission, hub.admission))
    for settings, home in homes:
        for url in settings.bus.urls:
            read_address(url, setting=f"{home.config_path}: bus.urls")
        if settings.bus.urls != chosen.urls:
            raise NotWell(f"{home.config_path}: bus.urls is not as in {hub.path / 'hub.toml'}; make them the same")
    without = [str(rag) for rag in Rag if rag not in desk.deadlines]
    if without:
        return Warned(f"{hub.desk.config_path}: no clock for {', '.join(without)}; such requests must name their times")
    return f"bus {', '.join(chosen.urls)}, a clock for each rating"


def check_users(hub: Hub) -> str | Warned:
    """Coordinator, desk and admission are meant to be three users of the operating system."""
    users = {home.path.stat().st_uid for home in (hub.coordinator, hub.desk, hub.admission)}
    if len(users) < 3:
        return Warned(
            "coordinator, desk and admission share users: whoever is that user can read what several hold; the units "
            "in deploy/systemd give each its own"
        )
    return "coordinator, desk and admission are three users"


def check_separation(hub: Hub) -> str:
    """Operator, system, account and authority keys are in admission's home alone."""
    for home in (hub.coordinator, hub.desk):
        found = sorted({purpose for purpose, _ in home.keys_to_read().held()} & ADMISSION_ALONE)
        if found:
            raise NotWell(
                f"{home.path / 'keys'} holds {', '.join(found)} keys, which are admission's alone: whoever takes this "
                "program over could admit anybody; destroy them here, and rotate them at admission"
            )
        for stray in (home.path / "admission", home.path / "bus" / "operator.jwt"):
            if stray.exists():
                raise NotWell(
                    f"{stray} is admission's: move it to {hub.admission.path}, which this program cannot read"
                )
    return "operator, system, account and authority keys are in admission's home alone"
