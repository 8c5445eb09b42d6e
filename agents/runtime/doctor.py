"""The doctor: everything an agent needs, tried one after the other before it runs; each finding says what to do.

Reads, and changes nothing: not the home, not the case system. A finding names files, keys and counts, never a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from agents.runtime.agency import Agency
from agents.runtime.gatekeeper import load_gatekeeper
from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from broker.node.home import DAY_MS, Home
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.party import PartyKind

SOON_MS: Final = 1 * DAY_MS
"""A sealing key that ends within a day is worth a word."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was tried."""

    what: str
    is_well: bool
    said: str


def examine(home: Home, agency: Agency, now: int) -> Iterator[Checked]:
    """Try everything, in the order a start needs it."""
    yield _try("home", lambda: f"agency {home.own().id} of hub {home.own().statement.hub}")
    yield _try("settings", lambda: f"{len(agency.configured(home).settings.categories)} categories are answered")
    yield _try("parties", lambda: _parties(home))
    yield _try("keys", lambda: _keys(home, now))
    yield _try("rules", lambda: f"policy {_rules(home, agency)[:16]}")
    yield _try("source", lambda: _source(home, agency))
    yield _try("program", lambda: _running(home))


def _try(what: str, check: Callable[[], str]) -> Checked:
    try:
        return Checked(what, True, check())
    except Failure as failure:
        return Checked(what, False, f"{failure.detail or failure.code} [{failure.code}]")
    except Exception as error:  # noqa: BLE001 - an agency's code may raise anything, and its text may name a person
        return Checked(what, False, f"failed unexpectedly ({type(error).__name__}); run the source's own tests")


class NotWell(Failure):
    """Something the agent needs is missing; the text says what to do."""

    code = "not_well"


def _parties(home: Home) -> str:
    directory = home.directory()
    for kind in (PartyKind.COORDINATOR, PartyKind.DESK):
        if len(directory.of_kind(kind)) != 1:
            raise NotWell(f"the hub's {kind.value} is not pinned: compare fingerprints by voice, then run agent pin")
    officers = len(directory.of_kind(PartyKind.OFFICER))
    if not officers:
        raise NotWell("no officer of the hub is pinned, so every request would be refused: run agent pin")
    return f"coordinator, desk and {officers} officers are pinned"


def _keys(home: Home, now: int) -> str:
    own, keys = home.own(), home.keystore()
    held = {identity.id for identity in home.identities(keys, KeyPurpose.SEAL)}
    for purpose in (KeyPurpose.MESSAGE, KeyPurpose.DEED, KeyPurpose.ANSWER, KeyPurpose.LOG):
        home.signing_key(keys, purpose)
    ends = [one.not_after for one in own.keys if one.key.purpose is KeyPurpose.SEAL and one.key.id in held]
    if not ends or max(ends) <= now:
        raise NotWell("no sealing key is in force: make the next epoch's key and hand the new party file to the hub")
    left = max(ends) - now
    ending = ", which ends within a day" if left < SOON_MS else ""
    return f"all signing keys and {len(held)} sealing key(s){ending}"


def _rules(home: Home, agency: Agency) -> str:
    return load_gatekeeper(agency.configured(home).settings.policy.directory_in(home.path)).digest


def _source(home: Home, agency: Agency) -> str:
    source = agency.make_source(agency.configured(home), home)
    try:
        report = source.check()
    finally:
        source.close()
    if not report.is_read_only:
        raise NotWell(f"{report.system} can be written to with this access: give the agent a read-only one")
    if report.problems:
        raise NotWell(f"{report.system}: {'; '.join(report.problems)}")
    counted = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
    return f"{report.system}, read-only: {counted or 'nothing to count'}"


def _running(home: Home) -> str:
    try:
        status = CommandClient(home.socket_path).ask("status")
    except NotRunning:
        return "not running; start it with agent run"
    except CommandFailed as failure:
        raise NotWell(failure.detail) from None
    if status["discrepancies"]:
        raise NotWell("this log and the hub's differ: agent log verify names the entries; call the hub's IG lead")
    return f"running, {'connected' if status['connected'] else 'waiting for the bus'}"
