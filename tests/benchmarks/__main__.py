"""`python -m tests.benchmarks [names...] [--quick] [--json] [--profile]`: measures, and prints tables. Never a test."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from broker.node.journal import configure_journal
from tests.benchmarks.agent_size import measure_agent_size
from tests.benchmarks.bus_control import measure_bus_control
from tests.benchmarks.bus_storms import measure_bus_storms
from tests.benchmarks.exchange import measure_baseline, measure_exchange, measure_hand_over
from tests.benchmarks.extracting import measure_extracting
from tests.benchmarks.growth import measure_growth
from tests.benchmarks.matching import measure_matching
from tests.benchmarks.pieces import measure_log, measure_pieces
from tests.benchmarks.tables import Table

Measure = Callable[..., Awaitable[list[Table]]]
MEASURES: Final[dict[str, Measure]] = {
    "pieces": measure_pieces,
    "log": measure_log,
    "size": measure_agent_size,
    "matching": measure_matching,
    "baseline": measure_baseline,
    "exchange": measure_exchange,
    "growth": measure_growth,
    "extract": measure_extracting,
    "bus-control": measure_bus_control,
    "bus-storms": measure_bus_storms,
    "hand-over": measure_hand_over,
}
USUAL: Final = ("pieces", "log", "size", "matching", "exchange", "growth", "extract", "bus-control", "bus-storms")
QUICK: Final = ("pieces", "log", "size", "exchange")


async def _run(measure: Measure, *, quick: bool) -> list[Table]:
    return await measure(quick=quick)


def main() -> int:
    """Run what was named, or the usual."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(MEASURES)}; default: the usual")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller runs, under 40 seconds")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--profile", action="store_true", help="with exchange: the dearest functions of each process")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(MEASURES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(MEASURES)}")
    # Between the tables nobody wants to read who connected and was cut off: thousands are, on purpose.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    configure_journal("bench", level=logging.ERROR)
    told: dict[str, object] = {}
    for name in chosen.names or (QUICK if chosen.quick else USUAL):
        measure = MEASURES[name]
        if name == "exchange":
            measure = partial(measure, profile=chosen.profile)
        started = time.perf_counter()
        tables = asyncio.run(_run(measure, quick=chosen.quick))
        told[name] = [table.members() for table in tables]
        if not chosen.json:
            print("\n".join(table.text() for table in tables))
            print(f"\n  ({name}: {time.perf_counter() - started:.0f} s)", flush=True)
    if chosen.json:
        json.dump(told, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
