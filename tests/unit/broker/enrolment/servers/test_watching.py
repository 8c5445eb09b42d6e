"""The servers that there should be, before any of them was heard."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from broker.enrolment.servers.connection import SystemConnection
from broker.enrolment.servers.watching import BusServers
from broker.node.bus.access import Access
from broker.node.metrics import AdmissionMetrics
from tests.support.clock import HandClock


def never() -> Access:
    raise AssertionError("nothing is dialled before the start")


def test_a_configured_server_that_was_never_seen_is_missing_and_one_that_was_taken_out_is_not() -> None:
    clock, names = HandClock(), ["hub-1", "hub-2"]
    connection = SystemConnection(["tls://127.0.0.1:9"], never, inbox="_INBOX.x", clock=clock)
    metrics = AdmissionMetrics(CollectorRegistry())
    servers = BusServers(connection, clock=clock, metrics=metrics, names=lambda: names)
    assert servers.stale == {"hub-1", "hub-2"}
    names.remove("hub-2")
    assert servers.stale == {"hub-1"}
