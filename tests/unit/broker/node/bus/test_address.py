"""Which servers may be dialled, and that no setting leads to plaintext."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.node.bus.access import PLAINTEXT, Access
from broker.node.bus.address import (
    BadBusUrl,
    NotLoopback,
    PlaintextRefused,
    ServerAddress,
    read_address,
    read_plaintext_address,
    read_proxy,
)
from broker.node.bus.nats import NatsBus
from schemas.failures import Rejected

Read = Callable[..., ServerAddress]


def _no_access() -> Access:
    raise AssertionError("nothing is dialled")


@pytest.mark.parametrize(
    ("url", "dialled"),
    [
        ("tls://bus.hub.example:4333", "tls://bus.hub.example:4333"),
        ("tls://bus.hub.example", "tls://bus.hub.example:4222"),
        ("TLS://Bus.Hub.Example:1/", "tls://bus.hub.example:1"),
        ("tls://10.0.0.1", "tls://10.0.0.1:4222"),
        ("tls://[::1]:4222", "tls://[::1]:4222"),
        ("wss://bus.hub.example", "wss://bus.hub.example:443"),
        ("wss://bus.hub.example:8443/bus/a_b-c.d", "wss://bus.hub.example:8443/bus/a_b-c.d"),
    ],
)
def test_a_server_with_tls_may_be_dialled(url: str, dialled: str) -> None:
    assert read_address(url, setting="bus.url").url == dialled


@pytest.mark.parametrize("url", ["nats://127.0.0.1:4222", "nats://localhost", "ws://127.0.0.1:80", "NATS://127.0.0.1"])
def test_a_connection_without_tls_is_refused_even_on_this_machine_saying_what_to_write(url: str) -> None:
    with pytest.raises(PlaintextRefused, match=r"bus\.url names a connection without TLS; write tls://"):
        read_address(url, setting="bus.url")


def test_a_bus_has_no_plaintext_unless_its_maker_names_it() -> None:
    with pytest.raises(PlaintextRefused):
        NatsBus("nats://127.0.0.1:4222", name="desk", access=_no_access)
    with pytest.raises(BadBusUrl):
        NatsBus("tls://127.0.0.1:4222", name="desk", access=PLAINTEXT)
    with pytest.raises(TypeError, match="access"):
        NatsBus("nats://127.0.0.1:4222", name="desk")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("url", "dialled"),
    [
        ("nats://127.0.0.1:4333", "nats://127.0.0.1:4333"),
        ("nats://127.8.9.10", "nats://127.8.9.10:4222"),
        ("nats://localhost:1/", "nats://localhost:1"),
        ("nats://[::1]:4222", "nats://[::1]:4222"),
    ],
)
def test_plaintext_may_be_dialled_on_this_machine(url: str, dialled: str) -> None:
    assert read_plaintext_address(url, setting="bus.url").url == dialled


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
    ],
)
def test_plaintext_to_another_machine_is_refused(url: str) -> None:
    with pytest.raises(NotLoopback, match=r"bus\.url .*without TLS only this one is dialled"):
        read_plaintext_address(url, setting="bus.url")


@pytest.mark.parametrize("read", [read_address, read_plaintext_address, read_proxy])
@pytest.mark.parametrize(
    ("rest", "about"),
    [
        ("alice:hunter2@127.0.0.1:4222", "credentials"),
        ("hunter2@127.0.0.1:4222", "credentials"),
        ("@127.0.0.1:4222", "credentials"),
        ("127.0.0.1:4222/hunter2%20", "end after the port"),
        ("127.0.0.1:4222/..//hunter2", "end after the port"),
        ("127.0.0.1:4222?token=hunter2", "end after the port"),
        ("127.0.0.1:4222/?", "end after the port"),
        ("127.0.0.1:4222#hunter2", "end after the port"),
        (":4222", "no host"),
        ("127.0.0.1:0", "port 0"),
        ("127.1:4222", "no host"),
        ("2130706433:4222", "no host"),
        ("hunter_2.example", "no host"),
        ("-hunter2.example", "no host"),
        ("hunter2..example", "no host"),
        ("[fe80::1%25eth0]:4222", "no host"),
        ("127.0.0.1:hunter2", "not a URL"),
        ("127.0.0.1:70000", "not a URL"),
        ("[::1", "not a URL"),
        ("hunter2\t.example", "not a URL"),
        ("hunter2\n", "not a URL"),
        ("h\u00fcnter2.example", "not a URL"),
        ("a" * 600, "not a URL"),
    ],
)
def test_a_url_that_is_more_or_less_than_a_server_is_refused_without_repeating_it(
    read: Read, rest: str, about: str
) -> None:
    scheme = {read_address: "tls", read_plaintext_address: "nats", read_proxy: "http"}[read]
    with pytest.raises(BadBusUrl) as refusal:
        read(f"{scheme}://{rest}", setting="bus.url")
    assert about in refusal.value.detail
    assert "bus.url" in refusal.value.detail
    assert "hunter" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("url", ["127.0.0.1:4222", "", "tls:", "tls://", "ftp://bus.example", "https://bus.example"])
def test_another_scheme_or_none_is_refused(url: str) -> None:
    for read in (read_address, read_plaintext_address, read_proxy):
        with pytest.raises(BadBusUrl):
            read(url, setting="bus.url")


def test_a_path_is_for_websockets_alone() -> None:
    assert read_address("wss://bus.example/a/", setting="bus.url").path == "/a/"
    with pytest.raises(BadBusUrl):
        read_address("tls://bus.example/a/", setting="bus.url")


def test_a_proxy_is_named_by_host_and_port() -> None:
    assert read_proxy("http://proxy.agency.example", setting="bus.proxy").authority == "proxy.agency.example:3128"
    with pytest.raises(BadBusUrl, match=r"bus\.proxy must begin with http://"):
        read_proxy("https://proxy.agency.example", setting="bus.proxy")


def test_a_bus_refuses_when_any_of_its_servers_may_not_be_dialled() -> None:
    with pytest.raises(Rejected, match=r"desk\.bus"):
        NatsBus(["nats://127.0.0.1:4222", "nats://10.0.0.1:4222"], name="desk", access=PLAINTEXT, setting="desk.bus")
