"""The metrics: all declared, bounded labels, and one registry a program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from broker.node.metrics import AdmissionMetrics, AgentMetrics, CoordinatorMetrics, DeskMetrics, build_metrics
from broker.node.store import GroupReport

BOUNDED_LABELS = {
    "what",
    "kind",
    "code",
    "progress",
    "conclusion",
    "decision",
    "reason",
    "state",
    "outcome",
    "hub",
}

PARTIES = (CoordinatorMetrics, DeskMetrics, AgentMetrics, AdmissionMetrics)
ROOT = Path(__file__).parents[4]


def test_two_programs_in_one_process_do_not_share_metrics() -> None:
    first, second = build_metrics(), build_metrics()
    first.node.received("submission")
    assert b'needtoknow_messages_received_total{kind="submission"} 1.0' in first.exposition()
    assert b"submission" not in second.exposition()


def test_what_the_post_and_the_store_tell_is_counted() -> None:
    metrics = build_metrics()
    metrics.node.rejected("unknown", "envelope_malformed")
    metrics.node.sent("delivery", again=False)
    metrics.node.sent("delivery", again=True)
    metrics.node.waiting(4)
    metrics.node.group_settled(GroupReport(works=7, failed=2, seconds=0.0004))
    metrics.node.fields_dropped(3)
    text = metrics.exposition().decode()
    for line in (
        'needtoknow_messages_rejected_total{code="envelope_malformed",kind="unknown"} 1.0',
        'needtoknow_messages_sent_total{kind="delivery"} 1.0',
        'needtoknow_messages_repeated_total{kind="delivery"} 1.0',
        "needtoknow_outbox_waiting 4.0",
        "needtoknow_store_works_failed_total 2.0",
        "needtoknow_store_group_works_sum 7.0",
        "needtoknow_journal_fields_dropped_total 3.0",
    ):
        assert line in text


def test_no_metric_has_a_label_that_could_hold_a_person_or_an_exchange() -> None:
    for party in PARTIES:
        metrics = build_metrics()
        metrics_of_party = party(metrics.registry)
        for declared in (*vars(metrics.node).values(), *vars(metrics_of_party).values()):
            assert set(declared._labelnames) <= BOUNDED_LABELS


def test_no_metric_is_declared_that_nothing_moves() -> None:
    metrics = build_metrics()
    declared = {*vars(metrics.node), *(name for party in PARTIES for name in vars(party(build_metrics().registry)))}
    code = "".join(path.read_text() for top in ("broker", "agents") for path in (ROOT / top).rglob("*.py"))
    without_declarations = re.sub(r"self\.\w+ = (?:counter|gauge|histogram)\(", "", code)
    moved = set(re.findall(r"\.(\w+)", without_declarations))
    assert declared - moved == set()


def test_a_metric_cannot_be_declared_twice_in_one_program() -> None:
    registry: CollectorRegistry = build_metrics().registry
    AgentMetrics(registry)
    with pytest.raises(ValueError, match="Duplicated"):
        AgentMetrics(registry)
