"""What an agent needs on an agency's machine: memory, time to start, disk. Without a database connector, and with.

The program is the product's own (`agents.runtime.program.run_agent`: command socket, health server and all), over a
case system in memory. Disk is the sum of the files that the pinned packages installed, as their records list them.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import re
import signal
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.child import ROOT, Child, resident_bytes
from tests.benchmarks.running import Cast, folder_and_bus
from tests.benchmarks.staging import AGENCY, Stage
from tests.benchmarks.tables import Table

LOCK: Final = ROOT / "deploy" / "locks" / "agent.txt"
SQL: Final = ("sqlalchemy", "greenlet", "psycopg", "psycopg-binary", "typing-extensions")
_NAME: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_MB: Final = 1024 * 1024
_STARTS: Final = 3


async def measure_agent_size(*, quick: bool) -> list[Table]:
    """Memory, start and disk against what DESIGN section 11 wants held."""
    table = Table("The agent on its machine", ("what", "measured", "to hold"))
    async with folder_and_bus() as (folder, url):
        stage = Stage(folder, url)
        stage.set_up()
        (stage.agent.config_path).write_text('kind = "police"\n', "utf-8")
        coordinator = await Child.start("tests.benchmarks.parties", "coordinator", str(folder), url)
        desk = await Child.start("tests.benchmarks.parties", "desk", str(folder), url)
        try:
            starts = [await _start_and_stop(stage) for _ in range(2 if quick else _STARTS)]
            table.add("cold start, s (executed to ready)", median(starts), "0.5")
            process, _ = await _start(stage)
            try:
                table.add("resident after start, MB", resident_bytes(process.pid) / _MB, "64")
                await Cast({"desk": desk}).run(4, 100)
                table.add("resident after 100 exchanges, MB", resident_bytes(process.pid) / _MB, "64")
            finally:
                await _end(process)
        finally:
            await desk.stop()
            await coordinator.stop()
    table.add("import of the SQL connector adds, MB resident", _sql_adds() / _MB, "32 (96 in all)")
    pinned = _NAME.findall(LOCK.read_text("utf-8"))
    core = [name for name in pinned if name.lower() not in SQL[:-1]]
    table.add("installed packages, MB", sum(map(_installed_bytes, core)) / _MB, "64")
    own = sum(_tree_bytes(ROOT / name) for name in ("agents", "broker", "schemas"))
    table.add("our own code beside them, MB", own / _MB, "")
    biggest = sorted(core, key=_installed_bytes, reverse=True)[:4]
    table.notes.append("largest: " + ", ".join(f"{name} {_installed_bytes(name) / _MB:.1f} MB" for name in biggest))
    table.notes.append(f"{AGENCY}'s agent over a case system in memory; ready: its /readyz answers 200")
    return [table]


async def _start(stage: Stage) -> tuple[asyncio.subprocess.Process, float]:
    port_file = stage.agent.socket_path.parent / "observe.port"
    port_file.unlink(missing_ok=True)
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.whole_agent", str(stage.agent.path), stage.bus_url, cwd=ROOT
    )
    while not await _is_ready(port_file):
        if process.returncode is not None:
            raise RuntimeError(f"the agent ended with status {process.returncode}")
        await asyncio.sleep(0.005)
    return process, time.perf_counter() - started


async def _is_ready(port_file: Path) -> bool:
    try:
        port = int(port_file.read_text("ascii"))  # noqa: ASYNC240 - a few bytes, and nothing else runs
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, ValueError):
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return b" 200 " in line


async def _start_and_stop(stage: Stage) -> float:
    process, seconds = await _start(stage)
    await _end(process)
    return seconds


async def _end(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
    await process.wait()


def _sql_adds() -> int:
    """Resident bytes that importing the connector adds, in a fresh interpreter."""
    import subprocess

    code = (
        "import sys; from pathlib import Path\n"
        "def rss(): return next(int(l.split()[1]) * 1024 for l in Path('/proc/self/status').read_text().splitlines()"
        " if l.startswith('VmRSS:'))\n"
        "import agents.runtime.program; before = rss(); import agents.police.database; print(rss() - before)"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    return int(answer.stdout)


def _installed_bytes(name: str) -> int:
    """Bytes on disk of a package's files, compiled modules not counted."""
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return 0  # pinned for another platform
    return sum(_size(Path(str(file.locate()))) for file in files if file.suffix != ".pyc")


def _tree_bytes(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
