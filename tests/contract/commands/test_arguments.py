"""Every command of every program: what it does not know it refuses, by one reader's words, and does nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from broker.node.backup import backup_commands
from broker.node.commands import Command, CommandMalformed
from broker.node.ground import Ground
from tests.support.world import World
from tests.unit.broker.enrolment.hall import Hall


async def _refuse_what_they_do_not_know(ground: Ground, commands: Mapping[str, Command]) -> None:
    said = {}
    for name, command in {**backup_commands(ground), **commands}.items():
        with pytest.raises(CommandMalformed) as refused:
            await command({"unknown": "example"})
        said[name] = refused.value.detail
    assert {"status", "backup"} <= set(said)
    assert [
        one for one in said.values() if not re.fullmatch("argument [a-z0-9_]+: (missing|extra_forbidden)", one)
    ] == []


@pytest.mark.parametrize("name", ["coordinator", "desk", "northshire"])
async def test_no_command_of_a_program_takes_an_argument_that_it_does_not_know(name: str, tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.start()
    program = world.running[name]
    await _refuse_what_they_do_not_know(program.ground, program.commands)
    await world.stop()


async def test_no_command_of_admission_takes_an_argument_that_it_does_not_know(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    await hall.start()
    await _refuse_what_they_do_not_know(hall.admission.ground, hall.admission.commands)
    await hall.stop()
