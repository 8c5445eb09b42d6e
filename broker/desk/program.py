"""The desk put together on its ground: its parts wired once, started and stopped in order. Composition only.

The ground is handed in, so that a test runs the very same desk as a program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from broker.desk.cards import load_cards, named
from broker.desk.casework import Casework
from broker.desk.config import DeskSettings
from broker.desk.conflicts import Conflicts
from broker.desk.correspondent import DeskCorrespondent
from broker.desk.counter import Counter
from broker.desk.deeds import Deeds
from broker.desk.following import Following
from broker.desk.glass import Glass
from broker.desk.policies import DeskPolicies
from broker.desk.questions import Questions
from broker.desk.reading import Reading
from broker.desk.reissues import rename_deeds
from broker.desk.restored import RestoredDesk
from broker.desk.shelf import Shelf
from broker.desk.trust import Trust
from broker.desk.vault import Vault
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.ground import Ground
from broker.node.home import Home
from broker.node.keeping import Keeping, keep_keys
from broker.node.metrics import DeskMetrics
from broker.node.observe import Check
from broker.node.running import run
from broker.node.settings import load_settings
from broker.node.store.migrations import Migration, load_migrations
from schemas.messages.transport import Hello

DESK_MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("broker.desk.migrations", "desk")


@dataclass(frozen=True, slots=True)
class Desk:
    """A composed desk (`broker.node.running.Program`)."""

    ground: Ground
    trust: Trust
    casework: Casework
    policies: DeskPolicies
    counter: Counter
    keeping: Keeping
    restored: RestoredDesk
    commands: Mapping[str, Command] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)

    async def start(self) -> None:
        """Finish what a crash interrupted, then take messages in."""
        await self.keeping.take_up()
        await self.policies.take_up()
        await self.casework.recover(sweep=not self.ground.catch_up.is_on)
        await self.restored.begin()
        await self.ground.post.start()
        self.keeping.keep()

    async def stop(self) -> None:
        """Leave the bus, close the store."""
        await self.ground.close()


def build_desk(ground: Ground, settings: DeskSettings) -> Desk:
    """Wire a desk; nothing runs yet.

    Raises:
        HubIncomplete: no coordinator with a log is pinned.
    """
    post, home = ground.post, ground.home
    trust = Trust.of(ground.me, lambda: post.directory)
    metrics = DeskMetrics(ground.metrics.registry)
    vault = Vault(ground.keys)
    shelf = Shelf(vault)
    deeds = Deeds(trust, ground.ring, post.writer)
    conflicts = Conflicts(trust, post, shelf, deeds)
    casework = Casework(trust, post, vault, shelf, deeds, conflicts, metrics)
    policies = DeskPolicies(trust, post)
    questions = Questions(
        trust=trust,
        post=post,
        vault=vault,
        shelf=shelf,
        deeds=deeds,
        hand=ground.ring,
        deadlines=settings.table(),
        officers=named(load_cards(home)),
        policies=policies,
        metrics=metrics,
    )
    following = Following(post, trust.coordinator, trust.log_keys)
    trust.bearing.append(following.bear_out)
    restored = RestoredDesk(trust, post, casework, ground.catch_up)
    post.correspondent = DeskCorrespondent(
        trust=trust,
        store=ground.store,
        outbox=post.outbox,
        clock=ground.clock,
        vault=vault,
        deeds=deeds,
        peer_returned=post.peer_returned,
        following=following,
        metrics=metrics,
        on_coordinator=restored.heard,
    )

    keeping = keep_keys(ground, trust.proven)
    questions.membership = keeping.membership
    keeping.rotation.renamed.append(rename_deeds)

    async def say_hello() -> None:
        await keeping.connected()
        # The desk mirrors nothing: the zeros say so, and what waits for it at the coordinator is sent at once.
        await post.send(post.passing(Hello, trust.coordinator, mirror_size=0, last_seq=0))
        await restored.tell_agencies()

    post.on_connected = say_hello
    glass = Glass(trust, post, shelf, deeds, questions)
    counter = Counter(trust, post, casework, questions, Reading(post, shelf, deeds), conflicts, glass, ground.catch_up)
    commands = {**_commands(ground, counter), **policies.commands(), **keeping.commands()}
    return Desk(ground, trust, casework, policies, counter, keeping, restored, commands)


def run_desk(home_path: Path) -> int:
    """Run the desk of that home until it is told to stop; gives back the exit status.

    Raises:
        SettingsInvalid: its configuration does not hold; the text names the key.
    """
    home = Home(home_path)
    settings = load_settings(home.config_path, DeskSettings)

    async def build(ground: Ground) -> Desk:
        return build_desk(ground, settings)

    return run("desk", home, settings, build, migrations=DESK_MIGRATIONS)


class _Signed(Arguments):
    """Each exactly as it was signed."""

    method: str
    path: str
    header: str
    body: str = ""


def _commands(ground: Ground, counter: Counter) -> Mapping[str, Command]:
    async def officer(arguments: dict[str, Any]) -> Any:
        """A signed command."""
        asked = read_arguments(_Signed, arguments)
        return await counter.serve(asked.method, asked.path, asked.header, asked.body.encode())

    async def status(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        return await counter.status()

    async def repin(arguments: dict[str, Any]) -> Any:
        """Take up the party files and officers' cards that were added or removed since."""
        read_arguments(NoArguments, arguments)
        counter.questions.officers = named(load_cards(ground.home))
        return {"parties": len(ground.read_directory_again().parties)}

    return {"officer": officer, "status": status, "repin": repin}
