"""Which servers may be dialled while the link has neither TLS nor an admission."""

from __future__ import annotations

import pytest

from broker.node.bus.address import BadBusUrl, NotLoopback, read_address
from broker.node.bus.nats import NatsBus
from schemas.failures import Rejected


@pytest.mark.parametrize(
    ("url", "dialled"),
    [
        ("nats://127.0.0.1:4333", "nats://127.0.0.1:4333"),
        ("nats://127.8.9.10", "nats://127.8.9.10:4222"),
        ("nats://localhost:1/", "nats://localhost:1"),
        ("nats://[::1]:4222", "nats://[::1]:4222"),
    ],
)
def test_a_loopback_server_may_be_dialled(url: str, dialled: str) -> None:
    assert read_address(url, setting="bus.url").url == dialled


@pytest.mark.parametrize(
    "url",
    [
        "nats://10.0.0.1:4222",
        "nats://nats.example:4222",
        "nats://0.0.0.0:4222",
        "nats://[::]:4222",
        "nats://[fe80::1]:4222",
        "nats://127.0.0.1.example:4222",
        "nats://localhost.example:4222",
        "nats://127.1:4222",
        "nats://2130706433:4222",
    ],
)
def test_another_machine_is_refused_naming_the_setting_and_what_is_needed_first(url: str) -> None:
    with pytest.raises(NotLoopback, match=r"bus\.url .*TLS and an admission are needed first"):
        read_address(url, setting="bus.url")


@pytest.mark.parametrize(
    ("url", "about"),
    [
        ("nats://alice:hunter2@127.0.0.1:4222", "credentials"),
        ("nats://hunter2@127.0.0.1:4222", "credentials"),
        ("nats://@127.0.0.1:4222", "credentials"),
        ("tls://127.0.0.1:4222", "nats://"),
        ("ws://127.0.0.1:4222", "nats://"),
        ("127.0.0.1:4222", "nats://"),
        ("", "nats://"),
        ("nats://127.0.0.1:4222/path", "end after the port"),
        ("nats://127.0.0.1:4222?token=hunter2", "end after the port"),
        ("nats://127.0.0.1:4222#hunter2", "end after the port"),
        ("nats://:4222", "no host"),
        ("nats://127.0.0.1:0", "port 0"),
        ("nats://127.0.0.1:hunter2", "not a URL"),
        ("nats://127.0.0.1:70000", "not a URL"),
        ("nats://[::1", "not a URL"),
    ],
)
def test_a_url_that_is_more_or_less_than_a_server_is_refused_without_repeating_it(url: str, about: str) -> None:
    with pytest.raises(BadBusUrl) as refusal:
        read_address(url, setting="bus.url")
    assert about in refusal.value.detail
    assert "bus.url" in refusal.value.detail
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_bus_refuses_when_any_of_its_servers_is_another_machine() -> None:
    with pytest.raises(Rejected, match=r"desk\.bus"):
        NatsBus(["nats://127.0.0.1:4222", "nats://10.0.0.1:4222"], name="desk", setting="desk.bus")
