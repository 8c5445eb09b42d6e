"""The demonstration's account in words: outcomes, one chronology an enquiry, and what every log says of itself."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.desk.chronology import NOT_KNOWN_PROVES_NOTHING

Facts = dict[str, Any]


def tell(console: Console, facts: Facts) -> None:
    """Print the whole account."""
    for enquiry in facts["enquiries"]:
        console.print()
        console.rule(f"[bold]{enquiry['title']}[/] ({enquiry['stage']}, {enquiry['rag']})", align="left")
        console.print(_requests(enquiry))
        if enquiry["outcomes"]:
            console.print(_outcomes(enquiry))
        if enquiry["chronology"]:
            console.print(_chronology(enquiry))
    if any(cell["state"] == "not_known" for enquiry in facts["enquiries"] for cell in enquiry["outcomes"]):
        console.print(f"\n[italic]{NOT_KNOWN_PROVES_NOTHING}[/]")
    for note in facts["notes"]:
        console.print(f"[italic]meanwhile: {note}[/]")
    _logs(console, facts)


def _requests(enquiry: Facts) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("agency", "came to", "took", "shows"):
        table.add_column(heading)
    for request in enquiry["requests"]:
        marks = ["was overdue"] if request["was_overdue"] else []
        marks += ["late"] if request["late"] else []
        if request["progress"] == "refused":
            marks += [f"rule {', '.join(request['refused_by'])}"]
        came_to = request["progress"] + (f" ({'; '.join(marks)})" if marks else "")
        table.add_row(request["agency"], came_to, _took(request["took_ms"]), request["shows"])
    return table


def _outcomes(enquiry: Facts) -> Table:
    table = Table(title="Outcomes", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("subject", "agency", "category", "outcome", "rule or reason"):
        table.add_column(heading)
    for cell in enquiry["outcomes"]:
        why = " ".join(filter(None, [cell["reason"], cell["rule"] and f"[{cell['rule']}]"]))
        if cell["confirm"]:
            why = f"to confirm: {', '.join(cell['confirm'])}"
        outcome = cell["state"].replace("_", " ") + (", late" if cell["late"] else "")
        table.add_row(cell["name"], cell["agency"], cell["category"], outcome, Text(why))
    return table


def _chronology(enquiry: Facts) -> Table:
    table = Table(title="Chronology", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("date", "agency", "subject", "category", "what is recorded", "released by"):
        table.add_column(heading, no_wrap=heading in ("date", "agency"))
    for line in enquiry["chronology"]:
        table.add_row(
            line["on"] or "undated",
            line["agency"] + (" (late)" if line["late"] else ""),
            line["name"],
            line["category"],
            Text(line["text"]),
            Text(line["rule"] or ""),
        )
    return table


def _logs(console: Console, facts: Facts) -> None:
    console.print()
    console.rule("[bold]Sharing logs, each checked from its first entry[/]", align="left")
    for name, log in facts["logs"].items():
        mirrored = f", mirrors {log['mirrored']} of the hub's" if "mirrored" in log else ""
        holds = "[green]holds[/]" if log["holds"] else "[bold red]DOES NOT HOLD[/]"
        console.print(f"{name:10} {log['size']:4} entries{mirrored}: {holds}")
        for finding in log["findings"]:
            console.print(f"           {finding}")
    for name, log in facts["logs"].items():
        if log["checkpoint"]:
            console.print(f"\n[bold]{name}[/]: signed checkpoint (origin, size, root, signature)")
            console.print(Text(log["checkpoint"].rstrip()), soft_wrap=True)


def _took(milliseconds: int | None) -> str:
    return "" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
