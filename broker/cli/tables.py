"""Text for people: enquiries, requests, outcomes and the chronology. Pure; JSON is printed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

Shown = Mapping[str, Any]

PART_QUARANTINED: Final = "answered, part quarantined"
"""What an officer sees of an answer of which something exceeded its grant, or could not be read."""

ONWARD: Final = "NO FURTHER THAN THIS ENQUIRY, unless the agency that told it agrees:"
"""R17, in words for whoever reads."""

_MENDED_BY: Final[Mapping[str, str]] = {
    "officer_untrusted": "hand it the officer's party file, to be pinned there (agent pin FILE)",
    "manager_untrusted": "hand it the manager's party file, to be pinned there (agent pin FILE)",
    "request_untimely": "compare the clocks of both sides",
    "grant_untimely": "compare the clocks of both sides",
}
"""What mends what an agency refuses for, where it is not a fault of a program."""


def at_text(at: int | None) -> str:
    """An instant as people read it, in UTC."""
    return "" if at is None else datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def enquiry_lines(enquiries: Sequence[Shown]) -> str:
    """A line an enquiry."""
    return "\n".join(
        f"{one['enquiry']}  {one['state']:8} {one['stage']:20} {one['rag']:6} {at_text(one['received_at'])}"
        f"  {len(one['subjects'])} subjects"
        for one in enquiries
    )


def enquiry_text(enquiry: Shown) -> str:
    """An enquiry, its subjects' references and its requests."""
    lines = [enquiry_lines([enquiry])]
    lines += [f"  subject {one['subject']}  {one['role']}" for one in enquiry["subjects"]]
    for one in enquiry.get("requests", []):
        lines.append("  " + request_line(one))
    return "\n".join(lines)


def request_line(request: Shown) -> str:
    """One request: where it stands and what is worth saying about it."""
    marks = [mark for mark in ("late", "overdue", "undecided", "escalated") if request.get(mark)]
    if request.get("in_review"):
        marks.append(f"in review by a {request['in_review'].replace('_', ' ')} of the agency")
    if request.get("part_quarantined"):
        marks.append(PART_QUARANTINED)
    refused = sorted({reason["rule"] for reason in request["reasons"]})
    if refused:
        marks.append(f"left out by {', '.join(refused)}")
    if request.get("not_accepted"):
        marks.append(f"not accepted: {request['not_accepted']}")
    if request.get("not_taken"):
        marks.append(f"refused by the agency: {request['not_taken']}")
    told = f" ({'; '.join(marks)})" if marks else ""
    return f"{request['exchange']}  {request['agency']:12} {request['progress']}{told}"


def request_text(request: Shown) -> str:
    """One request in full, without content."""
    asked = ", ".join(f"{one['category']}:{one['mode']}" for one in request["categories"])
    return "\n".join(
        [
            request_line(request),
            f"  asks for  {asked}",
            f"  deadline  {at_text(request['deadline_at'])}",
            f"  expires   {at_text(request['expires_at'])}",
            *_broken_glass(request),
            *_reasons(request),
            *_next_step(request),
        ]
    )


def _next_step(request: Shown) -> Iterator[str]:
    """What to do about a request that the agency refused for good: it ends with its deadline, whatever is mended."""
    code = request.get("not_taken")
    if code:
        agency = request["agency"]
        mend = _MENDED_BY.get(code, "its administrator finds the reason under that code (agent doctor; SPEC 9)")
        yield f"  refused   {agency} did not take the request and is not asked again by itself: {mend}"
        yield "            then withdraw it and ask anew"


def _broken_glass(request: Shown) -> Iterator[str]:
    """Who broke the glass, until when, and what it lifted."""
    glass = request["break_glass"]
    if glass is None:
        return
    yield f"  break-glass by {glass['manager']} until {at_text(glass['until'])}"
    if request["progress"] == "prepared":
        yield f"    waits for that manager: broker break-glass sign {request['exchange']}"
    elif glass["lifted"]:
        yield f"    lifted: {', '.join(glass['lifted'])}"


def _reasons(request: Shown) -> Iterator[str]:
    """What was left out, by which rule, and what that rule says."""
    for rule in sorted({reason["rule"] for reason in request["reasons"]}):
        yield f"  left out by {rule}: {request['sentences'].get(rule, 'see the rules of the hub')}"
        reasons = [reason for reason in request["reasons"] if reason["rule"] == rule]
        for what in sorted({_left_out(reason) for reason in reasons}):
            yield f"    {what}"


def _left_out(reason: Shown) -> str:
    what = f"{reason['category']}:{reason['mode']}" if reason["category"] else "the whole request"
    about = f" about every {reason['role']}" if reason["role"] else ""
    rests = " ".join(one for one in (reason["basis"], reason["agreement"]) if one)
    dates = [f"from {reason['in_force_from']}"] if reason["in_force_from"] else []
    dates += [f"until {reason['in_force_until']}"] if reason["in_force_until"] else []
    return f"{what}{about}" + (f" ({' '.join([rests, *dates]).strip()})" if rests or dates else "")


def answers_text(found: Shown) -> str:
    """Outcomes, then one chronology."""
    lines = ["OUTCOMES"]
    for cell in found["outcomes"]:
        reason = f" [{cell['reason']}]" if cell["reason"] else ""
        confirm = f" (to confirm: {', '.join(cell['confirm'])})" if cell["confirm"] else ""
        late = " late" if cell["late"] else ""
        state = PART_QUARANTINED if cell["part_quarantined"] else cell["state"]
        lines.append(f"  {cell['agency']:10} {cell['name']:24} {cell['category']:28} {state}{reason}{confirm}{late}")
        if cell.get("written"):
            lines.append(f"  {'':10} the agency says why: {' '.join(cell['written'].split())}")
    for one in found["answers"]:
        if one["part_quarantined"]:
            lines.append(f"  {one['agency']:10} {PART_QUARANTINED}: what was not permitted is kept back and reported")
    lines += ["", "CHRONOLOGY"]
    for line in found["chronology"]:
        part = " [part quarantined]" if line["part_quarantined"] else ""
        lines.append(
            f"  {line['on'] or 'undated':10}  {line['agency']:10} {line['name']:24} {line['category']:28}"
            f" {line['text']}  [{line['rule']}]{part}"
        )
    # R17: nobody is told something without being told whose it is and on what terms.
    terms = {line["agency"]: line["handling"] for line in found["chronology"]}
    if terms:
        lines += ["", ONWARD, *(f"  {agency:10} {said}" for agency, said in sorted(terms.items()))]
    if any(cell["state"] == "not_known" for cell in found["outcomes"]):
        lines += ["", found["note"]]
    return "\n".join(lines)
