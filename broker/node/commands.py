"""The local command socket: how a person at this machine tells the running program something.

One POST a command: `/<command>`, a JSON object in, JSON out. A failure is `{"error": {"code", "message"}}`; the message
is for the person at this machine and goes nowhere else. Who may connect is the operating system's business (owner-only
directory and socket, and the peer's user id); who may do what is each command's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import structlog

from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from broker.node.serving import App, LocalServer, bind_owner_only
from schemas.failures import Disposition, Failure, Rejected

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = [
    "MAX_BODY_BYTES",
    "Command",
    "CommandClient",
    "CommandFailed",
    "CommandMalformed",
    "CommandServer",
    "NotRunning",
    "command_app",
]

_log: Final = structlog.get_logger()

Command: TypeAlias = Callable[[dict[str, Any]], Awaitable[Any]]
"""Takes the JSON object, gives back what can be JSON; raises a `Failure` to refuse."""

MAX_BODY_BYTES: Final = 1024 * 1024
"""An enquiry with all its subjects and words is some kilobytes; a party's file less."""
_COMMAND_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_STATUS: Final = {
    Disposition.REJECT: HTTPStatus.UNPROCESSABLE_ENTITY,
    Disposition.RETRY: HTTPStatus.SERVICE_UNAVAILABLE,
    Disposition.HALT: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class CommandMalformed(Rejected):
    """What came in is not a JSON object of the permitted size."""

    code = "command_malformed"


def command_app(commands: Mapping[str, Command]) -> App:
    """The application that runs these commands."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def failed(status: int, code: str, message: str) -> Response:
        return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)

    def running(name: str, command: Command) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            try:
                return JSONResponse(await command(_parse(await _body(request))))
            except Failure as failure:
                return failed(_STATUS[failure.disposition], failure.code, failure.detail)
            except Exception as error:  # noqa: BLE001 - a fault of the program: the person gets a code, the journal the place
                _log.error("command_broke", command=name, exc_info=error)
                return failed(500, "internal_error", "a fault of the program; its log says where")

        return run

    async def unknown(_: Request, __: Exception) -> Response:
        return failed(404, "command_unknown", "the running program has no such command; is it of the same version?")

    for name in commands:
        if _COMMAND_NAME.fullmatch(name) is None:
            raise ValueError(f"{name} cannot be the name of a command")
    return Starlette(
        routes=[Route(f"/{name}", running(name, command), methods=["POST"]) for name, command in commands.items()],
        exception_handlers={404: unknown, 405: unknown},
    )


class CommandServer(LocalServer):
    """Serves commands on an owner-only Unix socket; listens from the moment it is made."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        super().__init__(bind_owner_only(path), command_app(commands))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise CommandMalformed(f"a command has at most {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body, object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise CommandMalformed("a command is one JSON object") from None
    if not isinstance(parsed, dict):
        raise CommandMalformed("a command is one JSON object")
    return parsed


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(_: str) -> Any:
    raise ValueError("not a number of JSON")
