"""The doctor on what ends by itself: every key, certificate and JWT of a home, told 60, 30, 14 and 3 days ahead.

Certificates and JWTs are renewed by the programs three months ahead, so one that is told here is to be looked into.
Keys are rotated by a person, who is told here that it is time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.expiring import Expiry
from broker.node.doctor.words import minute

NOTICES: Final = (60, 30, 14, 3)
"""Days ahead: two months to find out why nothing was renewed, and three days to do it by hand."""


def check_endings(owner: str, expiries: Sequence[Expiry], now: int) -> str | Warned:
    """When the first thing ends.

    Raises: NotWell, if one has ended: which, since when, and what to run.
    """
    if not expiries:
        raise NotWell(f"{owner}: nothing is known to end; is this a home?")
    for one in sorted(expiries, key=lambda one: one.ends_at):
        left = one.ends_at - now
        if left <= 0:
            remedy = one.once_ended or one.remedy
            raise NotWell(f"{owner}: {one.what} ended {minute(one.ends_at)}, and is refused since; run: {remedy}")
    near = [one for one in expiries if one.ends_at - now <= NOTICES[0] * DAY_MS]
    if near:
        told = "; ".join(f"{_left(one, now)}, run: {one.remedy}" for one in sorted(near, key=lambda one: one.ends_at))
        return Warned(f"{owner}: {told}")
    first = min(expiries, key=lambda one: one.ends_at)
    return f"{owner}: the first to end is {first.what}, in {(first.ends_at - now) // DAY_MS} days"


def notice(left_ms: int) -> int | None:
    """Which notice that is: the smallest number of days in `NOTICES` that is not below what is left."""
    return next((days for days in reversed(NOTICES) if left_ms <= days * DAY_MS), None)


def _left(one: Expiry, now: int) -> str:
    left = one.ends_at - now
    days = left // DAY_MS
    return f"{one.what} ends in {f'{days} days' if days else 'less than a day'} ({notice(left)}-day notice)"
