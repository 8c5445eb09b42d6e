"""Backups of a party of a world, and a party put back from one: its home is lost, its key store is not."""

from __future__ import annotations

import shutil
from pathlib import Path

from broker.node.backup import back_up, follow
from broker.node.backup_restore import PutBack, restore
from broker.node.home import Home
from schemas.messages.party import PartyKind
from tests.support.world import World

ALL_KINDS = tuple(PartyKind)


async def make_backup(world: World, name: str) -> Path:
    """A backup of a running party, of this moment."""
    folder = world.folder / f"{name}.backup"
    await back_up(world.running[name].ground, folder)
    return folder


async def begin_second_copy(world: World, name: str) -> Path:
    """A second copy of a running party, from here on."""
    folder = world.folder / f"{name}.copy"
    await follow(world.running[name].ground, folder)
    await world.settle()
    return folder


async def lose_home(world: World, name: str) -> None:
    """The party dies, and its home with it, but for its key store, which lies elsewhere."""
    await world.kill_party(name)
    home = world.home(name).path
    keys = world.folder / f"{name}.keys"
    (home / "keys").rename(keys)
    shutil.rmtree(home)
    home.mkdir(mode=0o700)
    keys.rename(home / "keys")


def put_back(world: World, name: str, source: Path, *, lock_copy: Path | None = None) -> PutBack:
    """Put a backup or a second copy into the empty home."""
    home = Home(world.home(name).path)
    return restore(home, source, now=world.clock.now(), kinds=ALL_KINDS, expected=None, lock_copy=lock_copy)


async def lose_and_restore(world: World, name: str, source: Path) -> PutBack:
    """All of it: the home is lost, put back from there, and the party started again."""
    await lose_home(world, name)
    done = put_back(world, name, source)
    await world.start_party(name)
    await world.settle()
    return done
