"""When an answer may leave, where a rule could be silent: at an instant fixed when the request arrived.

Pure. The instant depends on the exchange, the arrival and the deadline, and on nothing that is held: *not known* and a
silent refusal leave alike. Who misses an instant, because a system was slow, takes the next. Refuses to know outcomes.
"""

from __future__ import annotations

from typing import Final

JITTER_PARTS: Final = 4
"""Answers are spread over a quarter of the interval, so that requests that came together do not leave together."""
_DIGITS: Final = 8
LAST_TENTH: Final = 10
LONGEST_MARGIN_MS: Final = 10 * 60_000
"""What is left for an answer on its way: this long, or a tenth of the time there was."""


def margin_of(start_at: int, due_at: int) -> int:
    """How long before it is due an answer is made of what there is."""
    return min(LONGEST_MARGIN_MS, (due_at - start_at) // LAST_TENTH)


def slot_of(exchange: str, arrived_at: int, deadline_at: int, interval_ms: int) -> int:
    """The instant for an exchange (milliseconds UTC): an interval and a little after it arrived, before the deadline.

    Args:
        exchange: its id, 32 hexadecimal digits drawn at random by the desk.
        interval_ms: 0 means at once.
    """
    if interval_ms == 0:
        return arrived_at
    spread = int(exchange[:_DIGITS], 16) % (interval_ms // JITTER_PARTS + 1)
    slot_at = arrived_at + interval_ms + spread
    # Where the deadline has passed already, the answer is late with or without a slot.
    return min(slot_at, deadline_at) if arrived_at < deadline_at else slot_at


def next_slot(slot_at: int, interval_ms: int, now: int) -> int:
    """The first instant of an exchange's own rhythm that is not past."""
    if interval_ms == 0 or now <= slot_at:
        return slot_at
    missed = -((slot_at - now) // interval_ms)
    return slot_at + missed * interval_ms
