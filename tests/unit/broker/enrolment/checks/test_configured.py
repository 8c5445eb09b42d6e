"""What is written is safe, what is read is understood, and each way to spoil it is found on its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.enrolment.checks.configured import Finding, check_configuration
from broker.enrolment.checks.reading import ConfigurationUnreadable, Setting, read_configuration
from broker.enrolment.configuration.files import Node, ServerFilesInvalid, write_servers
from tests.support.hub_bus import HubBus, now_ms


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> HubBus:
    """Three servers' files; none of them is started."""
    return HubBus(tmp_path_factory.mktemp("bus"), nodes=3, websocket=True, leafnodes=True)


def spoilt(bus: HubBus, tmp_path: Path, old: str, new: str) -> tuple[list[Finding], int]:
    """What is found once `old` was replaced, and the line it stands on."""
    text = bus.configurations[0].read_text()
    assert old in text
    path = tmp_path / "nats-server.conf"
    path.write_text(text.replace(old, new, 1))
    return check_configuration(path, bus.identity, now=now_ms()), text[: text.index(old)].count("\n") + 1


def test_what_was_written_is_safe(bus: HubBus) -> None:
    for path in bus.configurations:
        assert check_configuration(path, bus.identity, now=now_ms()) == []


def test_nothing_that_was_written_can_be_read_by_others(bus: HubBus) -> None:
    for path in bus.configurations:
        assert path.parent.stat().st_mode & 0o077 == 0
        assert [file.name for file in path.parent.iterdir() if file.stat().st_mode & 0o077] == []


def test_there_is_no_jetstream_and_no_monitoring_in_it(bus: HubBus) -> None:
    settings = read_configuration(bus.configurations[0].read_text())
    assert not {"jetstream", "http", "https", "http_port", "https_port", "monitor_port"} & settings.keys()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("handshake_first: true", "handshake_first: false", "TLS-first is off"),
        ("handshake_first: true", 'handshake_first: "auto"', "TLS-first is off"),
        ("handshake_first: true", 'handshake_first: "300ms"', "TLS-first is off"),
        ("verify: true", "verify: false", "without a certificate"),
        ('min_version: "1.3"', 'min_version: "1.2"', "TLS before 1.3"),
        ("ping_max: 1", "ping_max: 1\nallow_non_tls: true", "allow_non_tls"),
        ("handshake_first: true", "handshake_first: true\n  insecure: true", "insecure"),
        ("ping_max: 1", "jetstream: enabled", "JetStream is enabled"),
        ("ping_max: 1", "jetstream { store_dir: /x }", "JetStream is enabled"),
        ("ping_max: 1", 'http: "0.0.0.0:8222"', "http shows accounts"),
        ("ping_max: 1", "http_port: 8222", "http_port shows accounts"),
        ("ping_max: 1", "authorization { users: [] }", "authorization is not known"),
        ("ping_max: 1", "accounts { X { users: [] } }", "accounts is not known"),
        ("ping_max: 1", "no_auth_user: x", "no_auth_user is not known"),
        ("ping_max: 1", "trace: true", "trace is not known"),
        ("pinned_certs", "timeout_x", "no pinned_certs"),
        ("compression: false", "no_tls: true", "websocket.no_tls is not known"),
        ('interval: "5s"', 'interval: "2m"', "minutes to learn of an expulsion"),
        ("type: full", "type: cache", "not of type full"),
        ("allow_delete: true", "allow_delete: false", "can never be deleted"),
    ],
    ids=lambda text: text[:24],
)
def test_each_way_to_spoil_it_is_found_on_its_line(old: str, new: str, said: str, bus: HubBus, tmp_path: Path) -> None:
    found, line = spoilt(bus, tmp_path, old, new)
    assert said in " ".join(one.said for one in found)
    lines = [int(one.where.rpartition(":")[2]) for one in found if said in one.said]
    assert abs(min(lines) - line) <= 10  # the line itself, or that of the block it is missing from


def test_another_hubs_claims_are_found(bus: HubBus, tmp_path: Path) -> None:
    other = HubBus(tmp_path / "other")
    found = check_configuration(bus.configurations[0], other.identity, now=now_ms())
    said = " ".join(one.said for one in found)
    for words in ("another bus's operator", "system_account is not the hub's", "the system account is missing"):
        assert words in said


def test_hub_claims_that_have_expired_are_found(bus: HubBus) -> None:
    found = check_configuration(bus.configurations[0], bus.identity, now=now_ms() + 500 * 24 * 3600 * 1000)
    assert any("expired" in one.said and "broker bus config" in one.said for one in found)


def test_a_certificate_that_ends_soon_is_told_before(bus: HubBus) -> None:
    found = check_configuration(bus.configurations[0], bus.identity, now=now_ms() + 350 * 24 * 3600 * 1000)
    assert [one.is_grave for one in found if "the certificate ends in" in one.said] == [False] * 4


def test_a_private_key_that_others_can_read_is_found(bus: HubBus, tmp_path: Path) -> None:
    key = bus.configurations[1].parent / "server.key"
    key.chmod(0o644)
    try:
        found = check_configuration(bus.configurations[1], bus.identity, now=now_ms())
    finally:
        key.chmod(0o600)
    assert found
    assert all("chmod 600" in one.said for one in found)


def test_the_same_call_again_keeps_the_private_keys_and_renews_the_rest(bus: HubBus, tmp_path: Path) -> None:
    nodes = [Node("one", "127.0.0.1"), Node("two", "127.0.0.1", route_port=6223)]

    def written() -> list[bytes]:
        paths = write_servers(tmp_path, nodes, bus.identity, bus.authority, bus.authority.pem, now=now_ms())
        return [(path.parent / name).read_bytes() for path in paths for name in ("server.key", "server.pem")]

    first, second = written(), written()
    assert [first[0], first[2]] == [second[0], second[2]]
    assert first[1] != second[1]


def test_two_servers_of_one_name_are_refused(bus: HubBus, tmp_path: Path) -> None:
    nodes = [Node("one", "127.0.0.1"), Node("one", "127.0.0.1")]
    with pytest.raises(ServerFilesInvalid, match="same name"):
        write_servers(tmp_path, nodes, bus.identity, bus.authority, bus.authority.pem, now=now_ms())


def test_a_configuration_is_read_as_the_server_reads_it() -> None:
    text = 'a: 1 # one\nb = "x # y"\nc {\n  d true, e: [1, "2", x]\n}\nF: no\n// over\ng: nats-route://h:1\n'
    assert read_configuration(text) == {
        "a": Setting(1, 1),
        "b": Setting("x # y", 2),
        "c": Setting({"d": Setting(True, 4), "e": Setting([1, "2", "x"], 4)}, 3),
        "F": Setting(False, 6),
        "g": Setting("nats-route://h:1", 8),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\ninclude 'x'", "line 2: an included file"),
        ("a: 1\na: 2", "line 2: a is there twice"),
        ("a: $A", "line 1: here should be a value"),
        ("a: (\n)\n", "line 1: here should be a value"),
        ("a {\n b: 1\n", "the file ends where }"),
        ("a: [1, 2", "the file ends where ]"),
        ("}", "line 1: here should be a setting's name"),
        ('a: "x\ny"', "line 1: here should be a value"),
        ("a " * 100_000 + "{" * 20, "line 1"),
        ("a{" * 20, "blocks within too many"),
        ("x" * 2_000_000, "too large"),
    ],
    ids=lambda text: text[:20],
)
def test_what_cannot_be_judged_by_reading_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigurationUnreadable, match=said.replace("(", r"\(").replace("[", r"\[").replace("}", r"\}")):
        read_configuration(text)
