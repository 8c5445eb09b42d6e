"""What broker/README.md names exists: modules, metrics, log events."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from broker.node.metrics import AdmissionMetrics, AgentMetrics, CoordinatorMetrics, DeskMetrics, build_metrics

ROOT: Final = Path(__file__).parents[3]
README: Final = (ROOT / "broker/README.md").read_text(encoding="utf-8")
_MODULE: Final = re.compile(r"`([a-z_/]+\.py)`")
_METRIC: Final = re.compile(r"`(needtoknow_[a-z_]+)`")
_EVENT: Final = re.compile(r"^\| (`[a-z_`, ]+`) \|", re.MULTILINE)


def test_every_module_it_names_is_there() -> None:
    named = set(_MODULE.findall(README))
    assert len(named) > 20
    assert [one for one in sorted(named) if not ((ROOT / "broker" / one).exists() or (ROOT / one).exists())] == []


def test_every_room_of_the_broker_is_described() -> None:
    rooms = {path.parent.name for path in (ROOT / "broker").glob("*/__init__.py")}
    assert rooms == set(re.findall(r"^\| `([a-z]+)/` \|", README, re.MULTILINE))


def test_every_metric_it_names_is_declared() -> None:
    declared = set()
    for party in (CoordinatorMetrics, DeskMetrics, AdmissionMetrics, AgentMetrics):
        metrics = build_metrics()
        party(metrics.registry)
        declared |= set(re.findall(r"# HELP (\S+)", metrics.exposition().decode()))
    named = set(_METRIC.findall(README))
    assert len(named) > 10
    assert named - declared == set()


def test_every_event_it_names_is_logged_somewhere() -> None:
    logged = README[README.index("## What is logged") :]
    named = {event for row in _EVENT.findall(logged) for event in re.findall(r"[a-z_]+", row)}
    source = "".join(
        path.read_text(encoding="utf-8") for top in ("broker", "agents") for path in (ROOT / top).rglob("*.py")
    )
    assert len(named) > 10
    assert {event for event in named if f'"{event}"' not in source} == set()
