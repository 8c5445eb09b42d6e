"""Making an agent's home and pinning the hub's parties: what a person does once, with nothing running."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broker.node.bus.address import read_address
from broker.node.home import Home, HomeInvalid, PartyPlan
from broker.node.tls_key import ensure_tls_key
from broker.node.wrapping_choice import keys_section
from schemas.failures import Failure, Rejected
from schemas.messages.party import Party, PartyKind, read_party
from schemas.vocabulary import AgencyKind


class FingerprintDiffers(Failure):
    """The party file is not the one whose fingerprint was read out."""

    code = "fingerprint_differs"


class NotPinnedByHand(Failure):
    """A party whose file is not taken one by one: the hub's own come together, compared by ten words."""

    code = "not_pinned_by_hand"


@dataclass(frozen=True, slots=True)
class NewAgent:
    """Who is to be made."""

    kind: AgencyKind
    hub: str
    party: str
    name: str
    bus_url: str | None
    ig_lead_key: Path
    wrapping: str | None = None


def initialise(home: Home, new: NewAgent, *, now: int) -> Party:
    """Make the home with its keys, its public file and a `config.toml` to be filled in.

    Raises:
        HomeInvalid: there is a party already, a name cannot be one, or the wrapping is said where it is not read.
        SettingsInvalid, KeyStoreUnsafe, OsKeyStoreAway: the wrapping is none, or cannot be used.
        BadBusUrl, PlaintextRefused: where the bus is cannot be used.
    """
    plan = PartyPlan(new.hub, new.party, PartyKind.AGENT, new.name, new.kind, f"{new.party}.{new.hub}/log")
    config = _config(new)
    if new.wrapping is not None and home.config_path.exists():
        raise HomeInvalid(f"{home.config_path} is there already: say keys.wrapping in it, and leave --wrapping out")
    party = home.create(plan, now=now, ig_lead_key=new.ig_lead_key, wrapping=new.wrapping)
    keys = home.keystore()
    try:
        ensure_tls_key(keys)
    finally:
        keys.close()
    if not home.config_path.exists():
        home.config_path.write_text(config, "utf-8")
        home.config_path.chmod(0o600)
    return party


def pin_party(home: Home, file: Path, fingerprint: str | None, compare: Callable[[str, str], bool]) -> Party:
    """Take an officer's file into the home, if its fingerprint is the one that was read out.

    `compare` asks a person: name and fingerprint to yes or no; it is not asked when `fingerprint` is given.

    Raises:
        PartyFileInvalid, HomeInvalid: the file does not hold or clashes.
        NotPinnedByHand: it is no officer's.
        FingerprintDiffers: it is another party's.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise HomeInvalid(f"{file} cannot be read ({error.strerror})") from None
    try:
        party = read_party(raw)
    except Rejected as failure:
        raise HomeInvalid(f"{file}: {failure.detail}") from None
    kind = party.statement.party_kind
    if kind is not PartyKind.OFFICER:
        raise NotPinnedByHand(
            f"{file} is of a party of kind {kind.value}; only officers are pinned one by one: the hub's parties come"
            " with its reply (agent enrol), and no agency pins another"
        )
    if fingerprint is None:
        same = compare(f"{party.id} ({party.statement.party_kind.value}), {party.statement.name}", party.fingerprint)
    else:
        same = hmac.compare_digest(_plain(fingerprint), _plain(party.fingerprint))
    if not same:
        raise FingerprintDiffers(
            "the fingerprint is another one: do not use this file; ask for it again by another way"
        )
    return home.pin(raw)


def _plain(fingerprint: str) -> bytes:
    return "".join(fingerprint.split()).lower().encode()


def _bus(url: str | None) -> str:
    if url is None:
        return "# The hub's reply to the enrolment says where the bus is."
    read_address(url, setting="--bus")
    return f'urls = ["{url}"]'


def _config(new: NewAgent) -> str:
    return f"""# The agent of {new.party}. Read once at the start; an unknown key stops it with the key's name.
kind = "{new.kind.value}"

[bus]
{_bus(new.bus_url)}
{keys_section(new.wrapping)}
# The agency's own records: see the README beside the agency's program for the keys.
[{new.kind.value}]
"""
