"""Calls to a source: in threads, within a limit of time and of number."""

from __future__ import annotations

import asyncio
import threading

import pytest

from agents.runtime.looking.calls import SourceCalls
from agents.runtime.source import SourceAway
from tests.support.clock import HandClock

ENDS_WITHIN_S = 60.0
"""Far longer than a thread that was told so takes to end."""


async def turn_when_waited_for(clock: HandClock, milliseconds: int) -> None:
    while clock.next_wake_at() is None:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)
    clock.turn(milliseconds)


async def test_a_call_gives_back_what_it_returns_from_another_thread() -> None:
    calls = SourceCalls(HandClock(), places=2, limit_ms=1000)
    assert await calls.run(threading.get_ident) != threading.get_ident()


async def test_a_call_raises_what_it_raises() -> None:
    calls = SourceCalls(HandClock(), places=2, limit_ms=1000)
    with pytest.raises(ZeroDivisionError):
        await calls.run(lambda: 1 // 0)


async def test_a_call_that_hangs_counts_as_away_after_its_limit() -> None:
    clock, held = HandClock(), threading.Event()
    calls = SourceCalls(clock, places=1, limit_ms=1000)
    hanging = asyncio.ensure_future(calls.run(held.wait))
    await turn_when_waited_for(clock, 1000)
    with pytest.raises(SourceAway):
        await hanging
    held.set()


async def test_hanging_calls_use_up_the_places_until_they_return() -> None:
    clock, held, begun = HandClock(), threading.Event(), threading.Event()
    calls = SourceCalls(clock, places=1, limit_ms=1000)

    def hang() -> bool:
        begun.set()
        return held.wait()

    hanging = asyncio.ensure_future(calls.run(hang))
    await asyncio.to_thread(begun.wait)  # a call given up before its thread began would hang nowhere
    await turn_when_waited_for(clock, 1000)
    with pytest.raises(SourceAway):
        await hanging
    second = asyncio.ensure_future(calls.run(lambda: 2))
    await turn_when_waited_for(clock, 1000)
    with pytest.raises(SourceAway):
        await second
    held.set()
    assert await calls.run(lambda: 3) == 3


async def has_ended(thread: threading.Thread) -> bool:
    await asyncio.to_thread(thread.join, ENDS_WITHIN_S)
    return not thread.is_alive()


async def test_closing_ends_every_thread_that_waits_for_work() -> None:
    calls = SourceCalls(HandClock(), places=3, limit_ms=1000)
    together = threading.Barrier(3)

    def meet() -> threading.Thread:
        together.wait()
        return threading.current_thread()

    threads = await asyncio.gather(*(calls.run(meet) for _ in range(3)))
    assert len(set(threads)) == 3
    calls.close()
    for thread in threads:
        assert await has_ended(thread)


async def test_a_thread_that_hangs_ends_once_it_returns_after_closing() -> None:
    clock, held, begun = HandClock(), threading.Event(), threading.Event()
    calls = SourceCalls(clock, places=1, limit_ms=1000)
    threads: list[threading.Thread] = []

    def hang() -> bool:
        threads.append(threading.current_thread())
        begun.set()
        return held.wait()

    hanging = asyncio.ensure_future(calls.run(hang))
    await asyncio.to_thread(begun.wait)
    await turn_when_waited_for(clock, 1000)
    with pytest.raises(SourceAway):
        await hanging
    calls.close()
    held.set()
    assert await has_ended(threads[0])
