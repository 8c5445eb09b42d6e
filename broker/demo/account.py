"""What came of the demonstration, as facts: outcomes, chronology, times, and every log checked from its first entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.demo.performance import Act, Performance
from broker.demo.stage import AGENCIES
from broker.node.command_client import CommandClient
from schemas.failures import Failure

Facts = dict[str, Any]


def give_account(performance: Performance) -> Facts:
    """Ask the running programs for everything the demonstration tells."""
    enquiries = []
    for enquiry in dict.fromkeys(act.enquiry for act in performance.acts):
        acts = [act for act in performance.acts if act.enquiry == enquiry]
        enquiries.append(_enquiry(performance, enquiry, acts))
    logs = {"hub": _hub_log(performance), **{agency: _own_log(performance, agency) for agency in AGENCIES}}
    return {
        "enquiries": enquiries,
        "logs": logs,
        "notes": list(performance.notes),
        "holds": all(log["holds"] for log in logs.values()),
        "missing": missing(enquiries),
    }


def missing(enquiries: list[Facts]) -> list[str]:
    """What the demonstration was to show and did not."""
    cells = [cell["state"] for enquiry in enquiries for cell in enquiry["outcomes"]]
    requests = [request for enquiry in enquiries for request in enquiry["requests"]]
    shown = {
        "content released": any(enquiry["chronology"] for enquiry in enquiries),
        "refused by the coordinator": any(r["progress"] == "refused" and r["refused_by"] for r in requests),
        "withdrawn": any(r["progress"] == "withdrawn" for r in requests),
        "late and accepted": any(r["progress"] == "opened" and r["late"] for r in requests),
        "expired": any(r["progress"] == "expired" for r in requests),
        **{
            state: state in cells
            for state in ("not_known", "known_nothing_relevant", "withheld", "possible_match", "could_not_look")
        },
    }
    return sorted(name for name, was_shown in shown.items() if not was_shown)


def _enquiry(performance: Performance, enquiry: str, acts: list[Act]) -> Facts:
    found = performance.officer.ask("GET", f"/enquiries/{enquiry}/answers")
    return {
        "enquiry": enquiry,
        "key": acts[0].told.key,
        "title": acts[0].told.title,
        "stage": found["stage"],
        "rag": found["rag"],
        "requests": [_request(act, performance.stands.get(act.exchange, {})) for act in acts],
        "outcomes": found["outcomes"],
        "chronology": found["chronology"],
        "note": found["note"],
    }


def _request(act: Act, stands: Mapping[str, Any]) -> Facts:
    at = stands.get("at", {})
    ended_at = next((at[event] for event in ("opened", "refused", "expired", "withdrawn") if event in at), None)
    return {
        "exchange": act.exchange,
        "agency": act.asked.agency,
        "shows": act.asked.shows,
        "progress": stands.get("progress"),
        "late": bool(stands.get("late")),
        "was_overdue": "overdue" in at,
        "refused_by": sorted({reason["rule"] for reason in stands.get("reasons", [])}),
        "took_ms": None if ended_at is None else ended_at - act.began_at,
    }


def _hub_log(performance: Performance) -> Facts:
    audit = performance.hub.ask_coordinator("log-verify")
    head = performance.hub.ask_coordinator("checkpoint")
    return {
        "holds": audit["holds"],
        "size": head["size"],
        "findings": audit["findings"],
        "checkpoint": head["checkpoint"],
    }


def _own_log(performance: Performance, agency: str) -> Facts:
    client = CommandClient(performance.stage.agent(agency).socket_path)
    try:
        found = client.ask("log-verify")
    except Failure as failure:
        return {"holds": False, "size": 0, "findings": [failure.code], "checkpoint": ""}
    return {
        "holds": not found["discrepancies"],
        "size": found["own_log"],
        "mirrored": found["mirror"],
        "findings": found["discrepancies"],
        "checkpoint": found.get("checkpoint", ""),
    }
