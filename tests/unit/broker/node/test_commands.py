"""The command socket: owner-only, JSON in and out, failures with a code, clean ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import broker.node.serving as serving
from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from broker.node.commands import MAX_BODY_BYTES, CommandServer
from broker.node.serving import ListenerTaken, ListenerUnsafe, bind_owner_only, serve_all
from schemas.failures import Away, GroundLost, Rejected


class PathTaken(Rejected):
    code = "path_taken"


async def echo(arguments: dict[str, Any]) -> Any:
    return {"you said": arguments}


async def refuse(arguments: dict[str, Any]) -> Any:
    raise PathTaken("choose another path")


async def away(arguments: dict[str, Any]) -> Any:
    raise Away("the bus is away")


async def halted(arguments: dict[str, Any]) -> Any:
    raise GroundLost("call a person")


async def broken(arguments: dict[str, Any]) -> Any:
    raise LookupError("Example Person")


COMMANDS = {"echo": echo, "refuse": refuse, "away": away, "halted": halted, "broken": broken}


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    server = CommandServer(tmp_path / "run" / "command.sock", COMMANDS)
    running = asyncio.ensure_future(serve_all(server))
    yield tmp_path / "run" / "command.sock"
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def ask(path: Path, command: str, arguments: dict[str, Any] | None = None) -> Any:
    return await asyncio.to_thread(CommandClient(path).ask, command, arguments)


async def raw(path: Path, text: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(text)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


def post(body: bytes) -> bytes:
    return b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def test_a_command_gets_its_answer(path: Path) -> None:
    assert await ask(path, "echo", {"n": 1, "words": ["ä"]}) == {"you said": {"n": 1, "words": ["ä"]}}
    assert await ask(path, "echo") == {"you said": {}}


@pytest.mark.parametrize(
    ("command", "reported", "message", "status"),
    [
        ("refuse", "path_taken", "choose another path", 422),
        ("away", "away", "the bus is away", 503),
        ("halted", "ground_lost", "call a person", 500),
        ("unheard-of", "command_unknown", "same version", 404),
    ],
)
async def test_a_failure_comes_back_with_its_code_and_what_to_do(
    path: Path, command: str, reported: str, message: str, status: int
) -> None:
    with pytest.raises(CommandFailed) as caught:
        await ask(path, command)
    assert (caught.value.reported, caught.value.status) == (reported, status)
    assert message in caught.value.message


async def test_a_fault_of_the_program_does_not_tell_what_it_was_about(path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        await ask(path, "broken")
    assert caught.value.reported == "internal_error"
    assert "Example" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"3", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[" * 100_000, b"x" * (MAX_BODY_BYTES + 1)],
)
async def test_what_is_not_one_json_object_of_the_permitted_size_is_refused(path: Path, body: bytes) -> None:
    assert b"command_malformed" in await raw(path, post(body))


async def test_a_get_is_not_a_command(path: Path) -> None:
    assert b"command_unknown" in await raw(path, b"GET /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_directory_and_socket_are_the_owners_only(path: Path) -> None:
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


async def test_a_peer_of_another_user_is_cut_off_even_past_the_permissions(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_peer_uid", lambda transport: os.geteuid() + 1)
    with pytest.raises(NotRunning, match="closed the connection"):
        await ask(path, "echo")


async def test_a_client_that_nothing_answers_is_told_to_start_the_program(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="start the program"):
        await ask(tmp_path / "command.sock", "echo")


async def test_a_socket_left_by_a_killed_program_is_replaced_and_a_live_one_is_not(path: Path, tmp_path: Path) -> None:
    dead = tmp_path / "run" / "dead.sock"
    leftover = socket.socket(socket.AF_UNIX)
    leftover.bind(os.fspath(dead))
    leftover.close()
    bind_owner_only(dead).close()
    with pytest.raises(ListenerTaken, match="running already"):
        bind_owner_only(path)
    assert await ask(path, "echo") == {"you said": {}}


async def test_a_directory_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    (tmp_path / "run").chmod(0o755)
    with pytest.raises(ListenerUnsafe, match="chmod 700"):
        bind_owner_only(tmp_path / "run" / "command.sock")


async def test_a_file_in_the_sockets_place_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "command.sock").write_text("precious")
    with pytest.raises(ListenerUnsafe, match="not a socket"):
        bind_owner_only(tmp_path / "run" / "command.sock")


async def test_a_path_too_long_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ListenerUnsafe, match="107 bytes"):
        bind_owner_only(tmp_path / ("x" * 108))


async def test_a_stopped_server_leaves_no_socket_and_lets_a_running_command_finish(tmp_path: Path) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(arguments: dict[str, Any]) -> Any:
        entered.set()
        await leave.wait()
        return "done"

    where = tmp_path / "run" / "command.sock"
    running = asyncio.ensure_future(serve_all(CommandServer(where, {"slow": slow})))
    asking = asyncio.ensure_future(ask(where, "slow"))
    await entered.wait()
    running.cancel()
    leave.set()
    assert await asking == "done"
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(NotRunning):
        await ask(where, "slow")


def test_the_client_starts_without_the_server_libraries() -> None:
    program = "import sys, broker.node.commands; sys.exit(any(m in sys.modules for m in ('starlette', 'uvicorn')))"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[4]).returncode == 0
