"""Health, readiness and metrics: on loopback, for this machine's own names, and never waiting long."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import broker.node.observe as observe
from broker.node.metrics import build_metrics
from broker.node.observe import ObserveServer
from broker.node.serving import ListenerTaken, ListenerUnsafe, serve_all


class Ground:
    def __init__(self) -> None:
        self.is_store_there = True
        self.metrics = build_metrics()
        self.server = ObserveServer(0, {"store": self.store, "bus": self.bus}, self.metrics)

    async def store(self) -> bool:
        return self.is_store_there

    async def bus(self) -> bool:
        if not self.is_store_there:
            raise LookupError("Example Person")
        return True

    def get(self, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    made = Ground()
    serving = asyncio.ensure_future(serve_all(made.server))
    yield made
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def test_health_is_answered_while_the_program_runs(ground: Ground) -> None:
    assert await asyncio.to_thread(ground.get, "/healthz") == (200, "ok\n")


async def test_readiness_names_each_check_and_a_check_that_raises_is_not_ready(ground: Ground) -> None:
    status, text = await asyncio.to_thread(ground.get, "/readyz")
    assert (status, json.loads(text)) == (200, {"ready": True, "checks": {"store": True, "bus": True}})
    ground.is_store_there = False
    status, text = await asyncio.to_thread(ground.get, "/readyz")
    assert (status, json.loads(text)) == (503, {"ready": False, "checks": {"store": False, "bus": False}})


async def test_a_check_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "CHECK_WITHIN", timedelta(0))

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    assert await observe._run({"bus": hangs}) == {"bus": False}


async def test_metrics_are_given_in_the_text_format(ground: Ground) -> None:
    ground.metrics.node.received("submission")
    status, text = await asyncio.to_thread(ground.get, "/metrics")
    assert status == 200
    assert 'needtoknow_messages_received_total{kind="submission"} 1.0\n' in text


async def test_a_page_under_another_name_cannot_read_them(ground: Ground) -> None:
    assert (await asyncio.to_thread(ground.get, "/metrics", "attacker.example"))[0] == 400


async def test_there_is_nothing_else(ground: Ground) -> None:
    assert (await asyncio.to_thread(ground.get, "/docs"))[0] == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "localhost.example", ""])
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    with pytest.raises(ListenerUnsafe, match=r"127\.0\.0\.1"):
        ObserveServer(0, {}, build_metrics(), host=host)


async def test_a_port_that_is_taken_is_named(ground: Ground) -> None:
    with pytest.raises(ListenerTaken, match=str(ground.server.port)):
        ObserveServer(ground.server.port, {}, build_metrics())


async def test_one_server_that_fails_stops_the_others() -> None:
    first = ObserveServer(0, {}, build_metrics())
    second = ObserveServer(0, {}, build_metrics())
    second.listener.close()
    with pytest.raises(OSError, match=r".*"):
        await serve_all(first, second)
    assert first.listener.fileno() == -1
