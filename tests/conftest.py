"""What holds for every test: which examples hypothesis draws, and that a session leaves no process behind.

Fixtures of one suite live beside it; parts that several suites use live in `tests/support`.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from broker.node.journal import configure_journal

pytest_plugins = ["tests.support.postgres"]

# Of a machine that is slow hypothesis would say that the drawing of examples is.
PATIENT: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", PATIENT)
settings.register_profile("fixed", PATIENT, derandomize=True, database=None)
settings.load_profile("fixed" if os.environ.get("CI") else "explore")

configure_journal("tests")
"""Log lines look in tests as they look in life; the library's own renderer would also print every local variable."""


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


signal.signal(signal.SIGINT, _interrupt)
"""As Python's own handler, which asyncio replaces for each test; it replaces no other. To put that one back it asks
which is set, and `signal` then prints the test's task with all that hangs on it, for nobody: a third of the time."""

SESSION_MARK = "TEST_SESSION_MARK"
"""An environment variable that every process started by this session inherits, and so do those that they start."""

END_GRACE_MS = 30_000
"""How long a process that was told to stop may take. A NATS server or an interpreter needs a hundredth of it."""


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left_behind() -> Iterator[None]:
    """Fail the session when a process it started outlives it; the process is ended all the same.

    Found by the session's mark in their environment, so that children of children count. Without `/proc` none is found.
    """
    mark = secrets.token_hex(16)
    os.environ[SESSION_MARK] = mark
    yield
    del os.environ[SESSION_MARK]
    left = {pid: name for pid, name in _marked(f"{SESSION_MARK}={mark}".encode()).items() if not _ends(pid)}
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, f"processes left behind: {left}"


def _marked(mark: bytes) -> dict[int, str]:
    """Running processes whose environment at their start held the mark: number and program."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "comm").read_text().strip()
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return found


def _ends(pid: int) -> bool:
    """Wait for the end of a process that may be on its way out already."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(END_GRACE_MS))
    finally:
        os.close(handle)
