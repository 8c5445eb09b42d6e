"""A party that dies at one commit, the way a process is killed: what is on disk at that instant is all there is.

The home is copied at the instant of death, lock copy and write-ahead log as they are, and the party is started from the
copy. What the abandoned program still did afterwards nobody hears: its bus is cut and its store takes nothing more.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from broker.node.store.connection import commit_durably
from schemas.failures import GroundLost, Rejected
from tests.support.world import World

T = TypeVar("T")


class Moment(StrEnum):
    """When a process dies."""

    BEFORE = "just before the commit"
    AFTER = "just after the commit"


@dataclass
class DyingCommit:
    """The commit step of one party; once armed it dies at commit number `at` (from 0), and counts until then."""

    world: World
    name: str
    moment: Moment
    at: int
    count: int = 0
    is_armed: bool = False
    is_dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @property
    def grave(self) -> Path:
        """The home as it lay on disk."""
        return self.world.folder / f"{self.name}.grave"

    def __call__(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            is_hit = self.is_armed and self.count == self.at
            self.count += self.is_armed
        if not is_hit:
            commit_durably(connection)
            return
        if self.moment is Moment.AFTER:
            commit_durably(connection)
        shutil.copytree(self.world.home(self.name).path, self.grave, ignore=shutil.ignore_patterns("run", "*.inuse"))
        self.is_armed, self.is_dead = False, True
        self._loop.call_soon_threadsafe(self.world.hub.cut, self.world.buses[self.name])
        raise sqlite3.OperationalError("the process is gone")


async def start_again(world: World, dying: DyingCommit) -> bool:
    """Start a party that has died from what it left on disk; False if it has not died."""
    if not dying.is_dead:
        return False
    dying.is_dead = False
    await world.kill_party(dying.name)
    home = world.home(dying.name).path
    shutil.rmtree(home)
    dying.grave.rename(home)
    (home / "run").mkdir(mode=0o700)
    await world.start_party(dying.name)
    await world.settle()
    return True


async def do(world: World, dying: DyingCommit, act: Callable[[], Awaitable[T]]) -> T:
    """Have a person do something; if the program dies over it, do it again once it runs again."""
    for _ in range(3):
        try:
            done = await act()
        except GroundLost:
            for _ in range(50):
                await world.settle()
                if await start_again(world, dying):
                    break
            continue
        await world.settle()
        await start_again(world, dying)
        return done
    raise AssertionError("it could not be done")


async def do_or_find_done(world: World, dying: DyingCommit, act: Callable[[], Awaitable[object]]) -> None:
    """The same for what cannot be done twice: that it cannot be repeated says that it was done."""
    with suppress(Rejected):
        await do(world, dying, act)


async def pass_time(world: World, dying: DyingCommit, milliseconds: int, step_ms: int = 20_000) -> None:
    """Let time pass; whoever dies meanwhile is started again at once."""
    for _ in range(max(1, milliseconds // step_ms)):
        await world.turn(step_ms, step_ms=step_ms)
        await start_again(world, dying)
