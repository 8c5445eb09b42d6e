"""How a program runs: its ground opened, commands, health and metrics served, and on SIGTERM nothing lost.

Exit statuses: 0 stopped as told, 1 an error that was explained, 3 halted because its own ground is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog

from broker.node.backup import backup_commands, follow
from broker.node.bus.configured import bus_of
from broker.node.clock import SystemClock
from broker.node.commands import Command, CommandServer
from broker.node.ground import Ground, open_ground
from broker.node.home import Home, HomeInvalid
from broker.node.journal import configure_journal
from broker.node.metrics import Metrics, build_metrics
from broker.node.observe import Check, ObserveServer
from broker.node.serving import serve_all
from broker.node.settings import NodeSettings
from broker.node.store.migrations import Migration
from broker.node.telling import tell_for_ever
from schemas.failures import Failure
from schemas.messages.party import PartyKind

_log = structlog.get_logger()

EXPLAINED: Final = 1
HALTED: Final = 3


class Program(Protocol):
    """A composed program: desk, coordinator, admission or agent."""

    @property
    def ground(self) -> Ground:
        """What it stands on."""

    @property
    def commands(self) -> Mapping[str, Command]:
        """What its command socket takes."""

    @property
    def checks(self) -> Mapping[str, Check]:
        """What its readiness is made of, besides the bus and the store."""

    async def start(self) -> None:
        """Begin to take messages in."""

    async def stop(self) -> None:
        """End its workers, leave the bus, close the store."""


def run(
    name: str,
    home: Home,
    settings: NodeSettings,
    build: Callable[[Ground], Awaitable[Program]],
    *,
    migrations: Sequence[Migration],
) -> int:
    """Run the program of a home until SIGTERM or SIGINT, or until it halts.

    Args:
        name: desk, coordinator, admission or the agency's kind: for the log lines and the server's monitoring.
        build: wires the program on the ground that was opened for it.
        migrations: the program's own tables.

    Returns:
        The exit status.
    """
    metrics = build_metrics()
    configure_journal(name, dropped=metrics.node.fields_dropped)

    async def opened() -> Program:
        bus = bus_of(home, settings.bus, name=name)
        ground = await open_ground(home, migrations=migrations, bus=bus, clock=SystemClock(), metrics=metrics)
        _insist_on_admission(ground)
        return await build(ground)

    try:
        return asyncio.run(_run(opened, settings, metrics))
    except Failure as failure:
        _log.critical("program_failed", code=failure.code)
        print(f"error: {failure.detail or failure.code} [{failure.code}]", file=sys.stderr)
        return EXPLAINED


async def _run(opened: Callable[[], Awaitable[Program]], settings: NodeSettings, metrics: Metrics) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    program = await opened()
    ground = program.ground
    # Before the first message is taken in, so that a second start of the same home fails early and clearly.
    commands = CommandServer(ground.home.socket_path, {**backup_commands(ground), **program.commands})
    observe = ObserveServer(settings.observe.port, {**_common_checks(ground), **program.checks}, metrics)
    _write_port(ground, observe.port)
    ground.post.spawn(tell_for_ever(ground))
    if settings.backup.follow is not None:
        await follow(ground, settings.backup.follow)
    await program.start()
    # What was made until here stays. The collector looks through it never again: each time would hold up everything
    # for as long as a whole exchange takes.
    gc.freeze()
    _log.info("program_started", port=observe.port)
    serving = asyncio.create_task(serve_all(commands, observe))
    waiting = asyncio.create_task(stopping.wait())
    ends: list[asyncio.Future[Any]] = [serving, waiting, ground.post.halted]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    halted = ground.post.halted.result() if ground.post.halted.done() else None
    for task in (serving, waiting):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await program.stop()
    if halted is not None:
        print(f"halted: {halted.detail or halted.code} [{halted.code}]", file=sys.stderr)
        return HALTED
    _log.info("program_stopped")
    return 0


def _insist_on_admission(ground: Ground) -> None:
    """Without a directory nobody would learn that a key was revoked: whoever has pinned no admission does not start."""
    if ground.me.statement.party_kind is not PartyKind.ADMISSION and not ground.directory.of_kind(PartyKind.ADMISSION):
        raise HomeInvalid(
            f"{ground.home.path}: the hub's admission is not pinned; an agency is given its file with the reply to its"
            " enrolment (agent enrol), the hub's own parties have it from broker init"
        )


def _common_checks(ground: Ground) -> dict[str, Check]:
    async def bus() -> bool:
        return ground.post.connected_at is not None

    async def store() -> bool:
        await ground.store.read(lambda tx: None)
        return True

    async def ground_holds() -> bool:
        return not ground.post.halted.done()

    async def caught_up() -> bool:
        return not ground.catch_up.is_on

    return {"bus": bus, "store": store, "ground": ground_holds, "caught_up": caught_up}


def _write_port(ground: Ground, port: int) -> None:
    """Where to find health and metrics when the port was taken free: a file beside the command socket."""
    path = ground.home.socket_path.parent / "observe.port"
    path.touch(mode=0o600)
    path.write_text(f"{port}\n", "ascii")
