"""DESIGN promise 7 on real processes: killed, told to stop, without a bus; every request ends in one conclusion."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable
from typing import Final

import pytest

from tests.integration.processes.driver import Driver, check_everything
from tests.support.processes import Parties, Program

REQUESTS: Final = 200
KILLS: Final = 6
SOAK_ROUNDS: Final = 25
"""Each ends with everything answered: what is looked for is a loss, not how fast a backlog of thousands drains."""


def meet(parties: Parties, requests: int, blows: int, strike: Callable[[Program], None]) -> None:
    """Have the officer ask while each program in turn is struck at a random moment and started again."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance, pause = random.Random(seed), threading.Event()
    driver, share = Driver(parties), requests // (blows + 1)
    driver.begin(requests)
    for number in range(blows):
        driver.allow(share)
        driver.wait_until_asked(number * share + chance.randrange(share))
        victim = list(parties.programs.values())[number % len(parties.programs)]
        pause.wait(chance.random() * 0.1)  # the random moment itself; nothing waits for it
        strike(victim)
        victim.start()
    driver.allow(requests - blows * share)
    for program in parties.programs.values():
        program.wait_until_connected()
    check_everything(parties, driver.finish())


def kill(program: Program) -> None:
    program.kill()  # perhaps before it was up again


def tell_to_stop(program: Program) -> None:
    program.wait_until_connected()
    assert program.stop() == 0


def test_every_request_ends_in_one_conclusion_when_processes_are_killed(parties: Parties) -> None:
    meet(parties, REQUESTS // 2, KILLS, kill)


def test_nothing_is_lost_when_programs_are_told_to_stop(parties: Parties) -> None:
    meet(parties, REQUESTS // 5, 3, tell_to_stop)


def test_nothing_is_lost_when_the_bus_stops_and_an_empty_one_comes(parties: Parties) -> None:
    driver, bus = Driver(parties), parties.bus
    driver.begin(60)
    driver.allow(30)
    driver.wait_until_asked(20)
    bus.stop()
    driver.wait_until_asked(30)
    bus.start()
    driver.allow(30)
    driver.wait_until_asked(40)
    bus.stop()
    bus.start_empty()
    check_everything(parties, driver.finish())


@pytest.mark.soak
def test_every_request_ends_in_one_conclusion_over_a_long_run_of_kills(parties: Parties) -> None:
    for _ in range(SOAK_ROUNDS):
        meet(parties, REQUESTS, KILLS, kill)
