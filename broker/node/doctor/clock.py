"""The doctor on the clock: it stands where those of the other parties stand, give or take two minutes.

Nobody is asked for the time. What parties signed and dated says it: their files, and the messages that a running
program takes in while they are fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.command_client import CommandClient, NotRunning
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.words import minute
from broker.node.home import Home

_SET_IT: Final = "set this machine's clock by NTP (timedatectl set-ntp true), or have that party set its own"
_TOLERATED_MINUTES: Final = PERMITTED_SKEW_MS // 60_000
_NAMED: Final = 3
"""Of many whose clocks are off."""
_TOLD_FROM_MS: Final = PERMITTED_SKEW_MS // 4
"""Half a minute: a clock kept by NTP is never that far off, so nobody keeps it."""


def check_clock(homes: Iterable[Home], now: int) -> str:
    """The clock does not stand before what was signed here, or by a party that was met.

    Raises: NotWell, naming that party.
    """
    for home in homes:
        for party in home.directory().parties.values():
            if party.statement.issued_at > now + PERMITTED_SKEW_MS:
                when = minute(party.statement.issued_at)
                raise NotWell(f"the file of {party.id} was made {when}, which lies ahead: {_SET_IT}")
    return f"{minute(now)}, after every pinned file was made; {_TOLERATED_MINUTES} minutes of difference are tolerated"


def check_others(home: Home) -> str | Warned:
    """How far the clocks of others stand from ours, as a running program sees it.

    Raises: NotWell, if messages are refused for it.
    """
    try:
        status = CommandClient(home.socket_path).ask("status")
    except NotRunning:
        return "not running, so nobody to compare with"
    dates = status["dates"]
    if status.get("connected") and not any(dates.values()):
        return Warned(
            "connected, and nobody has answered anything yet; if that stays so, our clock may be over "
            f"{_TOLERATED_MINUTES} minutes off, and the other side's doctor says by how much: {_SET_IT}"
        )
    return judge(dates["refused"], dates["offsets"], dates.get("soonest", {}))


def judge(refused: int, offsets: Mapping[str, int], soonest: Mapping[str, int]) -> str | Warned:
    """What the dates of messages say (broker.node.post.dates)."""
    far = sorted(
        (party for party in offsets if abs(offsets[party]) > _TOLD_FROM_MS), key=lambda one: -abs(offsets[one])
    )
    told = "; ".join(_told(party, offsets[party]) for party in far[:_NAMED])
    if refused:
        told = told or "one of the clocks is wrong, or the bus was away"
        return Warned(
            f"{refused} messages were refused since the start for their dates (over {_TOLERATED_MINUTES} minutes "
            f"ahead, or too late): {told}; {_SET_IT}"
        )
    if far:
        return Warned(f"{told}; {_TOLERATED_MINUTES} minutes are tolerated: {_SET_IT}")
    # Whoever refuses our dates sends nothing but what waits for us, which may be a repeat; a repeat may be any age.
    late = -max(soonest.values(), default=0)
    if not offsets and late > _TOLD_FROM_MS:
        return Warned(
            f"no message came sooner than {late // 1000} seconds after its date: our clock is ahead, or the bus was "
            f"away; {_SET_IT}"
        )
    if not offsets:
        return "no message of another party yet, so nobody to compare with"
    worst = max(offsets, key=lambda party: abs(offsets[party]))
    return f"at most {abs(offsets[worst]) // 1000 + 1} s from the clock of {worst}"


def _told(party: str, offset: int) -> str:
    return f"the clock of {party} is {abs(offset) // 1000} seconds {'ahead of' if offset > 0 else 'behind'} ours"
