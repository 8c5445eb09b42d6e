"""Numbers as a person reads them: medians, percentiles, rates and ratios, in plain tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Table:
    """One printed table, which is also what `--json` gives."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *row: Any) -> None:
        """Add a row."""
        self.rows.append(row)

    def text(self) -> str:
        """The table, its columns aligned."""
        cells = [self.columns, *[tuple(_cell(one) for one in row) for row in self.rows]]
        widths = [max(len(row[at]) for row in cells) for at in range(len(self.columns))]
        lines = ["  ".join(_aligned(row[at], widths[at], at) for at in range(len(row))).rstrip() for row in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([f"\n{self.title}", "", *lines, *[f"  {note}" for note in self.notes]])

    def members(self) -> dict[str, Any]:
        """The table for a program."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which that part (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def microseconds(work: Callable[[int], object], times: int, *, rounds: int = 5) -> float:
    """Median over the rounds of what one call costs; the call is told which it is."""
    costs = []
    for _ in range(rounds):
        started = time.perf_counter()
        for number in range(times):
            work(number)
        costs.append((time.perf_counter() - started) / times)
    return median(costs) * 1e6


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _aligned(cell: str, width: int, at: int) -> str:
    return cell.ljust(width) if at == 0 else cell.rjust(width)
