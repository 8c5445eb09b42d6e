"""The live progress table, for people at a terminal; on a pipe nothing is drawn."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from broker.demo.performance import Performance
from broker.node.clock import SystemClock

_STYLES = {
    "opened": "green",
    "refused": "magenta",
    "expired": "red",
    "withdrawn": "yellow",
    "overdue": "bold red",
}


class Watching:
    """Draws the table while the performance runs."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8, transient=False) if console.is_terminal else None

    def __enter__(self) -> Watching:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def look(self, performance: Performance) -> None:
        """Draw how it stands now."""
        if self._live is not None:
            self._live.update(progress_table(performance))


def progress_table(performance: Performance) -> Table:
    """Every request in a line: its enquiry, its agency, where it stands, its clock, and what it is there to show."""
    table = Table(title="Requests", title_justify="left", expand=False)
    for heading in ("enquiry", "agency", "progress", "clock", "shows"):
        table.add_column(heading)
    now = SystemClock().now()
    for act in list(performance.acts):
        stands = performance.stands.get(act.exchange, {})
        progress = str(stands.get("progress", "asked"))
        marks = [mark for mark in ("overdue", "late", "escalated") if stands.get(mark)]
        style = _STYLES.get("overdue" if "overdue" in marks else progress, "")
        table.add_row(
            act.told.key,
            act.asked.agency,
            f"[{style}]{progress}{' ' if marks else ''}{', '.join(marks)}[/]" if style else progress,
            _clock(int(stands.get("deadline_at", now)), now, progress),
            act.asked.shows,
        )
    return table


def _clock(deadline_at: int, now: int, progress: str) -> str:
    if progress in ("opened", "refused", "expired", "withdrawn"):
        return ""
    left = (deadline_at - now) / 1000
    return f"{left:.0f} s left" if left >= 0 else f"{-left:.0f} s over"
