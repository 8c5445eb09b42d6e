"""Calls to a source: each in a thread, under a time limit, and never more threads than agreed.

A thread that hangs cannot be ended, so it keeps its place until it returns: a source that hangs for good uses up the
places and then counts as away, and nothing else in the program waits for it. Threads are daemons: they never hold up
the end of the program. `close` ends those that wait for work, and the others once they return.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from agents.runtime.source import SourceAway
from broker.node.clock import Clock

T = TypeVar("T")


class SourceCalls:
    """At most `places` calls at once, each given up after `limit_ms` milliseconds. Used on one event loop."""

    def __init__(self, clock: Clock, *, places: int, limit_ms: int) -> None:
        self._clock = clock
        self._limit_ms = limit_ms
        self._free = asyncio.Semaphore(places)
        self._idle: list[_Hand] = []
        self._is_closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, run in a thread.

        Raises:
            SourceAway: no place, or no result, within the time limit; whatever `work` raises.
        """
        until = self._clock.now() + self._limit_ms
        await self._within(asyncio.ensure_future(self._free.acquire()), until)
        hand = self._idle.pop() if self._idle else _Hand()
        loop = asyncio.get_running_loop()
        done: Future[T] = Future()
        outcome = asyncio.wrap_future(done, loop=loop)
        # The place is given back when the thread is free again, however long after the caller has given up.
        hand.do(lambda: _settle(done, work), lambda: loop.call_soon_threadsafe(self._give_back, hand))
        return await self._within(outcome, until)

    def close(self) -> None:
        """End the threads, each as soon as it has nothing to do; waits for none. Nothing is run afterwards."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().end()

    def _give_back(self, hand: _Hand) -> None:
        if self._is_closed:
            hand.end()
        else:
            self._idle.append(hand)
        self._free.release()

    async def _within(self, wanted: asyncio.Future[T], until: int) -> T:
        alarm = asyncio.ensure_future(self._clock.sleep_until(until))
        try:
            both: list[asyncio.Future[Any]] = [wanted, alarm]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if wanted.done():
                return wanted.result()
            raise SourceAway("the case system did not answer within the time limit")
        finally:
            alarm.cancel()
            wanted.cancel()


class _Hand:
    """A thread that does one thing after the other."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Callable[[], None], Callable[[], object]] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="source-call", daemon=True).start()

    def do(self, task: Callable[[], None], then: Callable[[], object]) -> None:
        """Do a task, then say that this hand is free."""
        self._tasks.put((task, then))

    def end(self) -> None:
        """Do no more."""
        self._tasks.put(None)

    def _run(self) -> None:
        while (given := self._tasks.get()) is not None:
            task, then = given
            task()
            del task, given  # what it holds is personal data: not to be kept until the next call
            try:
                then()
            except RuntimeError:
                return  # the event loop is closed: the program has ended


def _settle(done: Future[Any], work: Callable[[], Any]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        done.set_exception(error)
