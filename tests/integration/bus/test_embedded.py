"""The broker's own nats-server: found, started, learned, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from broker.node.bus import embedded
from broker.node.bus.embedded import EmbeddedServer, ServerFailed, ServerMissing, find_server
from tests.contract.bus.rig import PATIENCE_S


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_started_server_answers_on_a_free_port_and_a_stopped_one_is_gone(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "nats")
    assert server.pid is None
    await server.start()
    pid = server.pid
    assert pid is not None
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as link:
        assert link.recv(5) == b"INFO "
    assert "Server is ready" in server.log_path.read_text()
    await server.stop()
    await server.stop()
    assert server.pid is None
    assert not _is_running(pid)
    assert not list((tmp_path / "nats").glob("*.ports"))


async def test_the_server_listens_on_loopback_alone_without_monitoring_and_without_jetstream(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    await server.start()
    try:
        log = server.log_path.read_text()
        listening = [line for line in log.splitlines() if "istening for" in line or "monitor" in line.lower()]
        assert len(listening) == 1
        assert "client connections on 127.0.0.1:" in listening[0]
        assert "JetStream" not in log
    finally:
        await server.stop()


async def test_what_the_server_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "nats")
    await server.start()
    await server.stop()
    assert (tmp_path / "nats").stat().st_mode & 0o077 == 0
    written = list((tmp_path / "nats").iterdir())
    assert sorted(file.name for file in written) == ["nats-server.conf", "nats-server.log"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in written)


async def test_a_server_that_was_killed_starts_again_on_its_port(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    await server.start()
    port, pid = server.port, server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await server.stop()
    await server.start()
    assert server.port == port
    assert server.pid not in (None, pid)
    await server.stop()


async def test_a_server_that_does_not_heed_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = tmp_path / "deaf"
    deaf.write_text(
        f"#!{sys.executable}\n"
        "import json, os, signal, socket, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "ports = os.path.join(sys.argv[4], f'nats-server_{os.getpid()}.ports')\n"
        "open(ports, 'w').write(json.dumps({'nats': [f'nats://127.0.0.1:{server.getsockname()[1]}']}))\n"
        "while True:\n"
        "    server.accept()[0].sendall(b'INFO {}\\r\\n')\n"
    )
    deaf.chmod(0o700)
    monkeypatch.setattr(embedded, "find_server", lambda: deaf)
    monkeypatch.setattr(embedded, "_ENDS_WITHIN_S", 0.1)
    server = EmbeddedServer(tmp_path / "nats")
    await server.start()
    pid = server.pid
    assert pid is not None
    await server.stop()
    assert not _is_running(pid)


async def test_a_port_in_use_is_an_error_that_points_to_the_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        server = EmbeddedServer(tmp_path, occupied.getsockname()[1])
        with pytest.raises(ServerFailed, match=r"ended with status 1; see nats-server\.log"):
            await server.start()
    assert server.pid is None
    assert "address already in use" in server.log_path.read_text()


async def test_a_setting_the_server_does_not_know_stops_the_start(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, settings=["no_such_setting: 1"])
    with pytest.raises(ServerFailed, match="ended with status 1"):
        await server.start()
    assert "no_such_setting" in server.log_path.read_text()


async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    start = asyncio.create_task(server.start())
    async with asyncio.timeout(PATIENCE_S):
        while server.pid is None:  # noqa: ASYNC110 - the very moment between the process and its answer
            await asyncio.sleep(0)
    pid = server.pid
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not _is_running(pid)


def test_a_missing_program_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert find_server().name == "nats-server"  # found through the package
    monkeypatch.setattr(embedded, "_PACKAGE", "a-package-that-is-not-installed")
    with pytest.raises(ServerMissing, match=r"install needtoknow\[hub\]"):
        find_server()
