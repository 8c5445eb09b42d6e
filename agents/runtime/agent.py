"""An agent put together on its ground: its parts wired once, started and stopped in order. Composition only.

The source and the ground are handed in, so that a test runs the very same agent as a program.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from agents.runtime.alerts.commands import alert_commands
from agents.runtime.alerts.telling import AlertTelling, build_telling
from agents.runtime.answering.epochs import Epochs
from agents.runtime.answering.writing import Signatory
from agents.runtime.correspondent import AgentCorrespondent
from agents.runtime.gatekeeping.gatekeeper import Gatekeeper
from agents.runtime.hub_log.checks import Checker
from agents.runtime.hub_log.currency import Currency
from agents.runtime.hub_log.mirroring import Mirroring
from agents.runtime.hub_policy.commands import hub_policy_commands
from agents.runtime.hub_policy.versions import HubPolicies
from agents.runtime.inspection.commands import agent_commands
from agents.runtime.inspection.reading import Inspection
from agents.runtime.looking.calls import SourceCalls
from agents.runtime.looking.glancing import Glancing
from agents.runtime.looking.look import Looking
from agents.runtime.own_log import OwnLog
from agents.runtime.review.commands import review_commands
from agents.runtime.review.deeds import ReviewDeeds
from agents.runtime.review.page.app import ReviewPage
from agents.runtime.review.reviewers import Door
from agents.runtime.review.room import ReviewRoom
from agents.runtime.settings import AgentSettings
from agents.runtime.source import RecordSource
from agents.runtime.worker import Worker
from broker.node.commands import Command
from broker.node.ground import Ground
from broker.node.home import HomeInvalid
from broker.node.keeping import Keeping, keep_keys
from broker.node.metrics import AgentMetrics
from broker.node.observe import Check
from broker.node.store.migrations import Migration, load_migrations
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.party import Party, PartyKind

_log = structlog.get_logger()

AGENT_MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("agents.runtime.migrations", "agent")
COMPARE_MS: Final = 15 * 60_000
"""How often this agency's log is compared with what the hub shows of it."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A composed agent (`broker.node.running.Program`)."""

    ground: Ground
    source: RecordSource
    currency: Currency
    worker: Worker
    inspection: Inspection
    metrics: AgentMetrics
    keeping: Keeping
    epochs: Epochs
    telling: AlertTelling
    commands: Mapping[str, Command] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)

    async def start(self) -> None:
        """Listen, go on with what waits from before, and say hello whenever the bus is there."""
        await self.keeping.take_up()
        await self.currency.take_up()
        await self.currency.begin_anew()
        await self.epochs.settle()
        await self.worker.resume()
        await self.ground.post.start()
        self.keeping.keep()
        self.ground.post.spawn(self.epochs.keep_for_ever())
        self.ground.post.spawn(self.currency.keep_up())
        self.ground.post.spawn(self.telling.keep_telling())
        self.ground.post.spawn(self._compare_for_ever())
        self._open_page()

    async def stop(self) -> None:
        """Leave the bus, let go of the source, close the store."""
        await self.ground.close()
        self.worker.looking.calls.close()
        await asyncio.get_running_loop().run_in_executor(None, self.source.close)

    def _open_page(self) -> None:
        """Serve the page for reviewers, if one is configured; where, is in a file beside the command socket."""
        room = self.worker.review
        if room.settings.port is None or room.settings.role is None:
            return
        page = ReviewPage(room.settings.port, room)
        path = self.ground.home.socket_path.parent / "review.port"
        path.touch(mode=0o600)
        path.write_text(f"{page.port}\n", "ascii")
        self.ground.post.spawn(page.serve())

    async def _compare_for_ever(self) -> None:
        clock = self.ground.clock
        while True:
            await clock.sleep_until(clock.now() + COMPARE_MS)
            for one in await self.inspection.discrepancies():
                self.metrics.alarms.labels(one.code).inc()
                _log.error("log_discrepancy_found", code=one.code, exchange=one.exchange)


def build_agent(ground: Ground, source: RecordSource, gatekeeper: Gatekeeper, settings: AgentSettings) -> Agent:
    """Wire an agent; nothing runs yet.

    Raises:
        HomeInvalid: its own file names no log, or the hub's coordinator or desk is not pinned.
    """
    post, (hub, desk) = ground.post, _hub_parties(ground)
    if ground.log is None:
        raise HomeInvalid("this agency's own file names no log; make the home again with init")
    checker = Checker(ground.ring, lambda: post.directory)
    metrics = AgentMetrics(ground.metrics.registry)
    currency = Currency(post, checker, hub, metrics, ground.catch_up)
    own_log = OwnLog(ground.log, ground.directory.hub)
    telling = build_telling(post, own_log, metrics, settings.alerts.command)
    signatory = _signatory(ground, desk.id, settings.handling_caveat)
    looking = _looking(ground, source, settings, metrics)
    worker = _worker(ground, settings, checker, currency, looking, gatekeeper, own_log, signatory)

    async def prove(receipt: bytes, now: int) -> bytes:
        return await correspondent.prove(receipt, now)

    keeping = keep_keys(ground, prove)
    mirroring, membership = Mirroring(checker, currency), keeping.membership
    policies = HubPolicies(post, checker, own_log, metrics)
    review_deeds = ReviewDeeds(post, hub, mirroring, own_log, settings.review.role)
    correspondent = post.correspondent = AgentCorrespondent(
        post,
        hub,
        desk,
        checker,
        currency,
        worker,
        own_log,
        telling.alarm,
        signatory,
        metrics,
        membership,
        review_deeds,
        mirroring,
        policies,
    )
    epochs = Epochs(ground, keeping.rotation, membership, metrics)
    membership.changed.append(currency.follow_log_keys)

    async def connected() -> None:
        # What was missed of the directory first: it may name the keys of all that comes after.
        await keeping.connected()
        await currency.say_hello()

    post.on_connected = connected
    inspection = Inspection(ground, gatekeeper)
    commands = {
        **agent_commands(inspection, own_log, looking, gatekeeper, settings),
        **alert_commands(post, telling.alarm),
        **review_commands(worker.review),
        **keeping.commands(),
        **hub_policy_commands(policies, ground.clock),
    }
    checks = {"mirror": inspection.is_whole}
    return Agent(ground, source, currency, worker, inspection, metrics, keeping, epochs, telling, commands, checks)


def _looking(ground: Ground, source: RecordSource, settings: AgentSettings, metrics: AgentMetrics) -> Looking:
    """What asks the source, and never waits for it longer than it may."""
    answers = settings.answers
    calls = SourceCalls(ground.clock, places=answers.source_calls, limit_ms=answers.source_seconds * 1000)
    conflicts = settings.policy.conflicts_in(ground.home.path)
    return Looking(source, calls, frozenset(settings.categories), metrics, conflicts)


def _worker(
    ground: Ground,
    settings: AgentSettings,
    checker: Checker,
    currency: Currency,
    looking: Looking,
    gatekeeper: Gatekeeper,
    own_log: OwnLog,
    signatory: Callable[[], Signatory],
) -> Worker:
    """What answers, and the room in which what it may not answer by itself waits for a person."""
    post, answers = ground.post, settings.answers
    glancing = Glancing(post, looking, asyncio.Semaphore(answers.jobs))
    contact, slot_ms = answers.contact_record(), answers.slot_seconds * 1000
    room = ReviewRoom(
        post=post,
        glancing=glancing,
        gatekeeper=gatekeeper,
        own_log=own_log,
        signatory=signatory,
        contact=contact,
        settings=settings.review,
        door=Door(ground.home, ground.clock),
        metrics=looking.metrics,
        slot_ms=slot_ms,
    )
    return Worker(
        post=post,
        hub=currency.hub,
        checker=checker,
        currency=currency,
        glancing=glancing,
        gatekeeper=gatekeeper,
        review=room,
        own_log=own_log,
        signatory=signatory,
        contact=contact,
        slot_ms=slot_ms,
    )


def _hub_parties(ground: Ground) -> tuple[Party, Party]:
    """The hub's coordinator and desk.

    Raises:
        HomeInvalid: one is not pinned.
    """
    try:
        return ground.directory.only(PartyKind.COORDINATOR), ground.directory.only(PartyKind.DESK)
    except Rejected as failure:
        raise HomeInvalid(f"{failure.detail}; pin the files of the hub's coordinator and desk (agent pin)") from None


def _signatory(ground: Ground, desk: str, handling: str) -> Callable[[], Signatory]:
    """Gives who answers, with the keys of that moment: they are replaced while the program runs."""

    def signatory() -> Signatory:
        now = ground.clock.now()
        return Signatory(
            agency=ground.me.id,
            answer_key=ground.ring.signing(KeyPurpose.ANSWER),
            deed_key=ground.ring.signing(KeyPurpose.DEED),
            hub_lead=ground.directory.newest(desk, KeyPurpose.ADDENDUM, now)[0],
            own_lead=ground.directory.newest(ground.me.id, KeyPurpose.ADDENDUM, now)[0],
            handling=handling,
        )

    return signatory
