"""A nats-server of a given configuration, as a process that is started, stopped and started again by its id."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from broker.node.bus.embedded import HOST, find_server

WITHIN_S = 60.0


class ServerProcess:
    """Runs exactly the configuration it is given; knows of it only the port."""

    def __init__(self, folder: Path, port: int, configuration: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.log_path = folder / "nats-server.log"
        self._config = folder / "nats-server.conf"
        self._config.write_text(configuration, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        process = self._process = self._spawn()
        async with asyncio.timeout(WITHIN_S):
            while not await self._listens():
                assert process.poll() is None, self.log()[-2000:]
                await asyncio.sleep(0.02)

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it with that signal and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            await asyncio.to_thread(process.wait, WITHIN_S)

    def signal(self, number: int) -> None:
        """Send it a signal, and go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [find_server(), "--config", self._config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def _listens(self) -> bool:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, self.port)
            writer.transport.abort()
            return True
        return False
