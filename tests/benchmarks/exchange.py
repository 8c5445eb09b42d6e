"""One full exchange against the raw baseline: latency, throughput, ratios, where the time of one exchange goes.

Full: asked, decided, logged, sealed, answered, released, opened. A product run and a raw run of each concurrency are
taken in turn, several times, so that both meet the same machine; medians are printed.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Any, Final

from tests.benchmarks.raw import SIZES
from tests.benchmarks.running import Cast, Run, folder_and_bus, product, raw
from tests.benchmarks.staging import Stage
from tests.benchmarks.tables import Table

COUNTS: Final = {1: (25, 120), 32: (96, 480), 256: (256, 1024)}
"""Concurrency to exchanges a run: the product's, the baseline's."""
QUICK_COUNTS: Final = {1: (20, 60), 32: (64, 192)}
ROUNDS: Final = 2
SIZES_AGREE_WITHIN: Final = 0.05
_OF_DEED: Final = {"agent": "acknowledgement of deed (agent)", "desk": "acknowledgement of deed (desk)"}


async def measure_baseline(*, quick: bool) -> list[Table]:
    """The raw baseline alone, in both modes."""
    table = _run_table("Raw baseline: the same ten messages, no keys, no checks, no log")
    async with folder_and_bus() as (folder, url):
        for mode in ("each", "grouped"):
            async with raw(folder, url, mode) as cast:
                await cast.run(4, 40)
                for concurrency, (_, count) in _counts(quick).items():
                    _add(table, f"commit {mode}", await cast.run(concurrency, count))
    table.notes.append("`each`: one commit a message, the baseline of DESIGN section 11. `grouped`: as our stores do.")
    return [table]


async def measure_exchange(*, quick: bool, profile: bool) -> list[Table]:
    """The product and the baseline in turn, with ratios; stages; and a profile if asked for."""
    runs = _run_table("One exchange")
    ratios = Table(
        "Ratios to the raw baseline (to hold: p50 within 3, throughput at least 0.33)",
        ("concurrency", "baseline", "p50 ratio", "throughput ratio", "processor time ratio"),
    )
    async with contextlib.AsyncExitStack() as stack:
        folder, url = await stack.enter_async_context(folder_and_bus())
        stage = Stage(folder, url)
        stage.set_up()
        baselines = {mode: await stack.enter_async_context(raw(folder, url, mode)) for mode in ("each", "grouped")}
        cast = await stack.enter_async_context(product(stage))
        await cast.run(4, 24)  # statements are prepared and code is warm from here on
        sizes, stages = await _stages(cast, 20 if quick else 40)
        await cast.ask_all("note", on=False)
        for concurrency, (count, raw_count) in _counts(quick).items():
            ours: list[Run] = []
            theirs: dict[str, list[Run]] = {mode: [] for mode in baselines}
            for _ in range(1 if quick else ROUNDS):
                ours.append(await cast.run(concurrency, count))
                for mode, baseline in baselines.items():
                    theirs[mode].append(await baseline.run(concurrency, raw_count))
            mine = _middle(ours)
            _add(runs, "product", mine)
            for mode, taken in theirs.items():
                other = _middle(taken)
                _add(runs, f"raw, commit {mode}", other)
                cpu = sum(mine.cpu_ms.values()) / max(0.001, sum(other.cpu_ms.values()))
                ratios.add(concurrency, mode, mine.p50_ms / other.p50_ms, mine.rate / other.rate, cpu)
        tables = [runs, ratios, stages, sizes]
        if profile:
            tables += await _profiles(cast, 40)
        for role, code in (await cast.ask_all("halted")).items():
            if code is not None:
                runs.notes.append(f"{role} HALTED: {code}")
    return tables


async def measure_hand_over(*, quick: bool) -> list[Table]:
    """What `sys.setswitchinterval(0.0001)` does for the hand-over between event loop and writer thread."""
    table = _run_table("Hand-over to the writer thread: switch interval of the interpreter")
    async with folder_and_bus() as (one, url), folder_and_bus() as (two, other_url):
        stages = Stage(one, url), Stage(two, other_url)
        for stage in stages:
            stage.set_up()
        async with product(stages[0]) as usual, product(stages[1], switch_interval=0.0001) as short:
            casts = {"5 ms (default)": usual, "0.1 ms": short}
            for cast in casts.values():
                await cast.run(4, 24)
                await cast.ask_all("note", on=False)
            for concurrency, count in {1: 25, 8: 64}.items():
                taken: dict[str, list[Run]] = {name: [] for name in casts}
                for _ in range(2 if quick else 4):
                    for name, cast in casts.items():
                        taken[name].append(await cast.run(concurrency, count))
                for name, runs in taken.items():
                    _add(table, name, _middle(runs))
    return [table]


async def _stages(cast: Cast, count: int) -> tuple[Table, Table]:
    """Where the milliseconds of one exchange by itself go, and whether the baseline's sizes are still ours."""
    await cast.ask_all("note", on=True)
    await cast.run(1, count)
    noted = await cast.ask_all("noted")
    exchanges: dict[str, dict[str, int]] = defaultdict(dict)
    for party in noted.values():
        for exchange, instants in party["instants"].items():
            exchanges[exchange].update(instants)
    at: dict[str, list[float]] = defaultdict(list)
    for instants in exchanges.values():
        if "desk: began" in instants:
            for step, instant in instants.items():
                at[step].append((instant - instants["desk: began"]) / 1000)
    stages = Table("Stages of one exchange at concurrency 1", ("step", "at us", "since the line above us"))
    before = 0.0
    for step, when in sorted(((step, median(values)) for step, values in at.items()), key=lambda one: one[1]):
        stages.add(step, when, when - before)
        before = when
    stages.notes.append("arrived: in this process; genuine: frame, key and signature hold; checked: everything else")
    stages.notes.append("does, and it is decided; committed: effect and answer are on disk. Medians; steps overlap.")
    return _sizes(noted), stages


def _sizes(noted: Mapping[str, Any]) -> Table:
    table = Table("Bytes of the messages", ("message", "median bytes", "baseline's", "agrees"))
    for role, party in noted.items():
        for step, sizes in party["sizes"].items():
            kind = _OF_DEED[role] if step == "acknowledgement of deed" else step
            size, known = int(median(sizes)), SIZES.get(kind)
            agrees = "not in the baseline" if known is None else _agreement(size, known)
            table.add(f"{kind} to {role}", size, known or 0, agrees)
    return table


def _agreement(size: int, known: int) -> str:
    return "yes" if abs(size - known) <= max(SIZES_AGREE_WITHIN * known, 64) else "NO: correct raw.SIZES"


async def _profiles(cast: Cast, count: int) -> list[Table]:
    await cast.ask_all("profile")
    await cast.run(4, count)
    tables = []
    for role, threads in (await cast.ask_all("profiled", top=25)).items():
        for thread, rows in threads.items():
            table = Table(f"Profile of the {role}'s {thread}", ("function", "calls", "own ms", "all ms"))
            for row in rows:
                table.add(row["function"], row["calls"] / count, row["own_ms"] / count, row["all_ms"] / count)
            table.notes.append("for one exchange; the profiler makes small functions look dearer than they are")
            tables.append(table)
    return tables


def _counts(quick: bool) -> Mapping[int, tuple[int, int]]:
    return QUICK_COUNTS if quick else COUNTS


def _run_table(title: str) -> Table:
    return Table(title, ("what", "concurrency", "p50 ms", "p99 ms", "exchanges/s", "processor ms an exchange"))


def _add(table: Table, what: str, run: Run) -> None:
    table.add(what, run.concurrency, run.p50_ms, run.p99_ms, run.rate, sum(run.cpu_ms.values()))


def _middle(runs: list[Run]) -> Run:
    """The run of the median latency."""
    return sorted(runs, key=lambda run: run.p50_ms)[len(runs) // 2]
