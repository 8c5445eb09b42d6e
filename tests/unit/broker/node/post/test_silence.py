"""When silence calls for another server, and for nothing."""

from __future__ import annotations

import itertools

import pytest

from broker.node.post.silence import AGENT, COORDINATOR, Patience, Silence, patience_of
from schemas.messages.party import PartyKind
from schemas.vocabulary import AgencyKind
from tests.support.parties import make_member

BEGIN = 1_000_000


def shortest(low: float, high: float) -> float:
    return low


def silence(patience: Patience = AGENT) -> Silence:
    return Silence(patience, uniform=shortest)


def long_enough(patience: Patience = AGENT) -> int:
    return BEGIN + patience.shortest_ms


def test_whoever_asked_and_hears_nobody_for_long_enough_goes_elsewhere() -> None:
    agent = silence()
    agent.asked("coordinator", BEGIN)
    assert not agent.calls_for_another_server(long_enough() - 1)
    assert agent.calls_for_another_server(long_enough())


def test_whoever_asks_nothing_misses_nobody() -> None:
    agent = silence()
    agent.heard("coordinator", BEGIN)
    assert not agent.calls_for_another_server(BEGIN + 24 * AGENT.longest_apart_ms)


def test_repeats_do_not_begin_the_wait_anew_and_hearing_the_party_does() -> None:
    agent = silence()
    agent.asked("coordinator", BEGIN)
    agent.asked("coordinator", long_enough() - 2)
    assert agent.calls_for_another_server(long_enough())
    agent.heard("coordinator", long_enough())
    agent.asked("coordinator", long_enough())
    assert not agent.calls_for_another_server(long_enough() + 1)


def test_one_agency_that_is_away_moves_nobody() -> None:
    coordinator = silence(COORDINATOR)
    coordinator.asked("northshire", BEGIN)
    assert not coordinator.calls_for_another_server(long_enough(COORDINATOR))


def test_two_that_are_away_move_nobody_while_as_many_others_answer() -> None:
    coordinator, now = silence(COORDINATOR), long_enough(COORDINATOR)
    for agency in ("northshire", "southshire"):
        coordinator.asked(agency, BEGIN)
    for other in ("desk", "eastshire"):
        coordinator.heard(other, now)
    assert not coordinator.calls_for_another_server(now)


def test_a_coordinator_that_hears_its_desk_alone_goes_elsewhere() -> None:
    coordinator, now = silence(COORDINATOR), long_enough(COORDINATOR)
    for agency in ("northshire", "southshire"):
        coordinator.asked(agency, BEGIN)
    coordinator.heard("desk", now)
    assert coordinator.calls_for_another_server(now)


def test_what_was_asked_before_the_bus_came_back_does_not_count() -> None:
    agent = silence()
    agent.asked("coordinator", BEGIN)
    agent.begin_anew()
    agent.asked("coordinator", long_enough())
    assert not agent.calls_for_another_server(long_enough() + 1)


def test_whoever_was_not_asked_for_long_is_not_missed() -> None:
    agent = silence()
    agent.asked("coordinator", BEGIN)
    assert not agent.calls_for_another_server(BEGIN + AGENT.longest_apart_ms)


@pytest.mark.parametrize("patience", [AGENT, COORDINATOR])
def test_moves_that_change_nothing_come_ever_more_seldom_and_at_most_once_a_minute(patience: Patience) -> None:
    party, moves = silence(patience), []
    for now in range(BEGIN, BEGIN + 24 * 3_600_000, 1000):
        for peer in ("one", "another"):
            party.asked(peer, now)
        if party.calls_for_another_server(now):
            party.moved(now)
            party.begin_anew()
            moves.append(now)
    apart = [later - earlier for earlier, later in itertools.pairwise(moves)]
    assert min(apart) >= 60_000
    assert apart == sorted(apart)
    assert len(moves) <= 30, "more than once an hour in the long run"


def test_whoever_is_heard_again_makes_the_next_silence_count_as_the_first() -> None:
    agent, now = silence(), BEGIN
    for _ in range(5):
        agent.asked("coordinator", now)
        now += AGENT.shortest_ms
        agent.moved(now)
    agent.heard("coordinator", now)
    now += 3_600_000
    agent.asked("coordinator", now)
    agent.moved(now)
    now += AGENT.apart_ms
    agent.asked("coordinator", now)
    assert agent.calls_for_another_server(now)


def test_the_bus_is_not_told_of_every_late_answer() -> None:
    agent = silence()
    told = [now for now in range(BEGIN, BEGIN + 10_000, 100) if agent.may_suspect(now)]
    assert told == [BEGIN, BEGIN + 3000, BEGIN + 6000, BEGIN + 9000]
    assert agent.may_suspect(BEGIN - 3_600_000), "a clock that was set back silenced it"


def test_the_coordinator_goes_before_the_others_and_these_not_at_once() -> None:
    agent = patience_of(make_member("agent", PartyKind.AGENT, agency_kind=AgencyKind.POLICE).party)
    desk, coordinator = (
        patience_of(make_member(kind.value, kind).party) for kind in (PartyKind.DESK, PartyKind.COORDINATOR)
    )
    assert coordinator.longest_ms < agent.shortest_ms == desk.shortest_ms < agent.longest_ms
