"""The doctor: everything an agent needs, tried one after the other before it runs; each finding says what to do.

Reads, and changes nothing: not the home, not the case system. It may be run beside the running agent, and as often as
one likes. A finding names files, keys and counts, never a person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from agents.runtime.agency import Agency
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.looking.conflicts import check_conflicts
from agents.runtime.review.reviewers import FILE, load_reviewers
from agents.runtime.source import NOBODY, RecordSource, SourceAway
from broker.node.backup_catchup import still_waits_for
from broker.node.command_client import CommandClient, NotRunning
from broker.node.doctor.bus import check_access, check_bus, configured_servers
from broker.node.doctor.checked import Checked, NotWell, State, Warned, tried
from broker.node.doctor.clock import check_clock, check_others
from broker.node.doctor.directory import check_directory
from broker.node.doctor.endings import check_endings
from broker.node.doctor.expiring import expiries
from broker.node.doctor.keys import check_epochs, check_own_keys
from broker.node.doctor.permissions import check_permissions
from broker.node.home import Home
from broker.node.owner_only import check_owner_only
from schemas.failures import Failure
from schemas.messages.party import PartyKind
from schemas.vocabulary import Category


def examine(home: Home, agency: Agency, now: int) -> Iterator[Checked]:
    """Try everything, in the order a start needs it."""
    yield _try("home", lambda: f"agency {home.own().id} of hub {home.own().statement.hub}")
    yield _try("permissions", lambda: check_permissions(home))
    yield _try("settings", lambda: f"{len(agency.configured(home).settings.categories)} categories are answered")
    yield _try("clock", lambda: check_clock([home], now))
    yield _try("parties", lambda: _parties(home))
    yield _try("keys", lambda: check_own_keys(home))
    yield _try("epochs", lambda: check_epochs(home.own(), now, held=home.keys_to_read()))
    yield _try("endings", lambda: check_endings(home.own().id, expiries(home), now))
    yield _try("rules", lambda: f"policy {_rules(home, agency)[:16]}")
    yield _try("review", lambda: _review(home, agency))
    yield _try("source", lambda: _source(home, agency))
    yield _try("credentials", lambda: check_access(home, now))
    yield _try("bus", lambda: check_bus(home, *configured_servers(home), now))
    yield _try("program", lambda: _running(home))
    yield _try("hub policy", lambda: _hub_policy(home))
    yield _try("directory", lambda: check_directory(home, now))
    yield _try("clocks", lambda: check_others(home))


def _try(what: str, check: Callable[[], str | Warned]) -> Checked:
    try:
        return tried(what, check)
    except Exception as error:  # noqa: BLE001 - an agency's code may raise anything, and its text may name a person
        said = f"failed unexpectedly ({type(error).__name__}); run the source's own tests"
        return Checked(what, State.FAIL, said)


def _parties(home: Home) -> str:
    directory = home.directory()
    for kind in (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION):
        if len(directory.of_kind(kind)) != 1:
            raise NotWell(f"the hub's {kind.value} is not pinned: take the hub's reply with agent enrol")
    officers = len(directory.of_kind(PartyKind.OFFICER))
    if not officers:
        raise NotWell("no officer of the hub is pinned, so every request would be refused: run agent pin")
    return f"coordinator, desk, admission and {officers} officers are pinned"


def _rules(home: Home, agency: Agency) -> str:
    settings = agency.configured(home).settings
    check_conflicts(settings.policy.conflicts_in(home.path))
    return load_gatekeeper(settings.policy.directory_in(home.path), settings.review.waiting()).digest


def _review(home: Home, agency: Agency) -> str | Warned:
    settings, reviewers = agency.configured(home).settings.review, load_reviewers(home)
    if settings.role is None:
        return "no desk: what a person would have to read is withheld"
    needed = 2 if settings.two_person else 1
    if len(reviewers) < needed:
        raise NotWell(f"{len(reviewers)} reviewers, and it takes {needed}: add them with agent review add-reviewer")
    check_owner_only(home.path / FILE)
    page = "no page" if settings.port is None else f"page on 127.0.0.1:{settings.port}"
    return f"{len(reviewers)} reviewers, told to the hub as {settings.role.value}; {page}"


def _source(home: Home, agency: Agency) -> str:
    configured = agency.configured(home)
    source = agency.make_source(configured, home)
    try:
        report = source.check()
        if not report.is_read_only:
            raise NotWell(f"{report.system} can be written to with this access: give the agent a read-only one")
        if report.problems:
            raise NotWell(f"{report.system}: {'; '.join(report.problems)}")
        _ask_about_nobody(source, configured.settings.categories)
    finally:
        source.close()
    counted = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
    return f"{report.system}, read-only: {counted or 'nothing to count'}"


def _ask_about_nobody(source: RecordSource, categories: Iterable[Category]) -> None:
    """An adapter that fails because it does not know `NOBODY` would have everybody unknown be *could not look*."""
    try:
        source.restrictions(NOBODY)
        for category in categories:
            deque(source.findings(NOBODY, category), maxlen=0)
    except SourceAway:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a source raises may hold personal data: its kind is said
        raise NotWell(
            f"asked about nobody the source fails ({type(error).__name__}), so whoever is not known would be"
            " could not look: mend the adapter (NOBODY, agents/README.md)"
        ) from None


def _running(home: Home) -> str | Warned:
    try:
        status = CommandClient(home.socket_path).ask("status")
    except NotRunning:
        return "not running; start it with agent run"
    except Failure as failure:
        raise NotWell(failure.detail) from None
    if (waits_for := still_waits_for(status)) is not None:
        raise NotWell(f"restored, and acts on nothing before it has caught up: {waits_for}")
    if status["discrepancies"]:
        raise NotWell("this log and the hub's differ: agent log verify names the entries; call the hub's IG lead")
    if status["connected"]:
        return "running, connected"
    return Warned(f"running, waiting for the bus: {status.get('trouble') or 'it was not reached yet'}")


def _hub_policy(home: Home) -> str | Warned:
    try:
        found = CommandClient(home.socket_path).ask("policy-versions")
    except NotRunning:
        return "which versions are held is the running agent's to say: agent policy list"
    if signers := ", ".join(found["awaited_signers"]):
        raise NotWell(f"{signers} signed a version and is not pinned here; requests wait for it: agent pin FILE")
    if found["awaited"]:
        raise NotWell("requests were granted by a version that has not come: ring the hub, broker policy versions")
    if numbers := ", ".join(map(str, found["stated_awaited"])):
        raise NotWell(f"the hub's desk names version {numbers}, which has not come: ring the hub's IG lead")
    held = {one["number"]: one for one in found["versions"]}
    if found["in_force"] not in held:
        return Warned("no version of the hub's policy has come yet; what is asked waits for it")
    one = held[found["in_force"]]
    said = f"version {one['number']} in force ({one['pack']} {one['pack_version']}), signed by {one['officer']}"
    coming = [str(number) for number in held if number > one["number"]]
    return f"{said}; to come: {', '.join(coming)}" if coming else said
