"""The alerting rules: they load, each says what to do, and each metric they name is one that the programs have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.node.metrics import AgentMetrics, CoordinatorMetrics, DeskMetrics, build_metrics

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "deploy" / "alerts").glob("*.yml"))
NOTICES = (60, 30, 14, 3)


def rules() -> list[dict[str, Any]]:
    loaded = [yaml.safe_load(path.read_text("utf-8")) for path in FILES]
    return [rule for file in loaded for group in file["groups"] for rule in group["rules"]]


def exposed() -> set[str]:
    """The names of every sample of every program."""
    metrics = build_metrics()
    for more in (CoordinatorMetrics, AgentMetrics):
        more(metrics.registry)
    other = build_metrics()
    DeskMetrics(other.registry)
    names = set()
    for registry in (metrics.registry, other.registry):
        for family in registry.collect():
            names |= {family.name, *(sample.name for sample in family.samples)}
            if family.type == "counter":
                names.add(f"{family.name}_total")
            if family.type == "histogram":
                names.add(f"{family.name}_bucket")
    return names


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_every_alert_names_metrics_that_there_are_and_says_what_to_do(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"needtoknow_[a-z_]+", rule["expr"]))
    assert named or rule["alert"] == "ProgramAway"
    assert named <= exposed()
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert {"summary", "action"} <= set(rule["annotations"])


def test_what_ends_is_told_at_every_notice_and_when_it_has() -> None:
    by_name = {rule["alert"]: rule["expr"] for rule in rules()}
    assert [f"{days} * 86400" in by_name[f"EndsIn{days}Days"] for days in NOTICES] == [True] * 4
    assert "<= 0" in by_name["Ended"]


def test_each_thing_that_must_wake_somebody_does() -> None:
    pages = {rule["alert"] for rule in rules() if rule["labels"]["severity"] == "page"}
    assert {
        "Halted",
        "LeadAlert",
        "GlassBroken",
        "Overdue",
        "LogsDiffer",
        "Flooding",
        "Ended",
        "DirectoryExpired",
        "BusAway",
        "PolicyLost",
    } <= pages


def test_what_an_alert_sends_people_to_stands_in_the_runbook() -> None:
    headings = set(re.findall(r"^#{2,3} (.+)$", (ROOT / "deploy" / "RUNBOOK.md").read_text("utf-8"), re.MULTILINE))
    sent = {
        rule["alert"]: section
        for rule in rules()
        for section in re.findall(r"\(RUNBOOK, ([^)]+)\)", rule["annotations"]["action"])
    }
    assert {"AnswerQuarantined", "MatchTriesCapped", "DeadLogKeyInUse", "LeadAlert", "PolicyLost"} <= set(sent)
    assert set(sent.values()) <= headings


def test_no_two_alerts_share_a_name() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
