"""Health, readiness and metrics of a running program, on loopback only.

`/healthz` answers while the event loop turns. `/readyz` names each check, so that a person sees which one fails.
`/metrics` is the Prometheus text. Nothing here changes anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from broker.node.metrics import Metrics
from broker.node.serving import App, LocalServer, bind_loopback

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_log: Final = structlog.get_logger()

Check: TypeAlias = Callable[[], Awaitable[bool]]
"""Whether something the program needs is there; false and raising are the same."""

CHECK_WITHIN: Final = timedelta(seconds=1)
"""A probe that waits longer is itself a symptom."""
_LOCAL_NAMES: Final = ("127.0.0.1", "localhost")
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def observe_app(checks: Mapping[str, Check], metrics: Metrics) -> App:
    """The application; checks have names of `a-z`, `0-9` and `_`."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        found = await _run(checks)
        is_ready = all(found.values())
        return JSONResponse({"ready": is_ready, "checks": found}, status_code=200 if is_ready else 503)

    async def metrics_text(_: Request) -> Response:
        return Response(metrics.exposition(), headers={"content-type": _METRICS_TYPE})

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics_text)],
        # A page in a browser of this machine must not read them under a name of its own.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(_LOCAL_NAMES), www_redirect=False)],
    )


class ObserveServer(LocalServer):
    """Serves health and metrics on 127.0.0.1; listens from the moment it is made."""

    def __init__(self, port: int, checks: Mapping[str, Check], metrics: Metrics, *, host: str = "127.0.0.1") -> None:
        super().__init__(bind_loopback(port, host), observe_app(checks, metrics))
        self.port: int = self.listener.getsockname()[1]


async def _run(checks: Mapping[str, Check]) -> dict[str, bool]:
    answers = await asyncio.gather(*(_ask(name, check) for name, check in checks.items()))
    return dict(zip(checks, answers, strict=True))


async def _ask(name: str, check: Check) -> bool:
    try:
        return bool(await asyncio.wait_for(check(), CHECK_WITHIN.total_seconds()))
    except Exception as error:  # noqa: BLE001 - whatever it is, that part is not ready
        _log.warning("readiness_check_failed", check=name, exc_info=error)
        return False
