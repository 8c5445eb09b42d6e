"""Matching: what it finds and misses on labelled people, beside Splink; and what it takes among a million.

Splink's figures are of the same pairs with the same weights and no guards. They come from the run that learnt the
weights (`make weights`), since Splink is not installed where the agents are.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agents.runtime.matching.deciding import weigh
from agents.runtime.matching.guards import Verdict
from agents.runtime.matching.scoring import describe_person, describe_query
from agents.runtime.matching.weights import shipped_weights
from agents.training.labelled import LabelledRecord
from agents.training.pairs import pairs_of
from tests.benchmarks.child import ROOT
from tests.benchmarks.matching_named import measure_named
from tests.benchmarks.tables import Table
from tests.support.labelled.__main__ import judged

_SPLINK: Final = Path(__file__).with_name("matching_splink.json")
_PEOPLE: Final = (10_000, 100_000, 1_000_000)


async def measure_matching(*, quick: bool) -> list[Table]:
    """What is matched, who is looked at for it, and what it takes."""
    return [_outcomes(), measure_named(), await _among(_PEOPLE[:2] if quick else _PEOPLE)]


def verdicts_of(records: Sequence[LabelledRecord]) -> Counter[tuple[bool, Verdict]]:
    """How many pairs of one person, and of two, get each verdict; the earlier record asks, the later is held."""
    weights = shipped_weights()
    asked = [describe_query(one.as_query()) for one in records]
    held = [describe_person(one.as_person("")) for one in records]
    return Counter(
        (records[one].person == records[other].person, weigh(asked[one], held[other], "", weights).verdict)
        for one, other in pairs_of(records)
    )


def _outcomes() -> Table:
    splink = json.loads(_SPLINK.read_text("utf-8"))
    table = Table(
        "Labelled people that nothing was learnt from: per cent of the pairs of one person",
        (
            *("set", "pairs", "of one", "matched", "possible", "missed", "false matches"),
            *("Splink: missed", "false", "missed at no false"),
        ),
    )
    for name, records in judged():
        found = verdicts_of(records)
        of_one = sum(count for (one, _), count in found.items() if one)
        theirs = splink["sets"][name]
        table.add(
            name,
            found.total(),
            of_one,
            *(100 * found[True, verdict] / of_one for verdict in (Verdict.YES, Verdict.MAYBE, Verdict.NO)),
            found[False, Verdict.YES],
            100 * theirs["missed"] / theirs["of_one"],
            theirs["false"],
            100 * theirs["missed_without_false"] / theirs["of_one"],
        )
    if splink["weights"] != shipped_weights().digest:
        table.notes.append("Splink's figures are of other weights: learn them again")
    table.notes.append("possible: nothing is released, and the hub is asked to confirm who is meant")
    table.notes.append("missed at no false: by a threshold so high that Splink lets no two people through")
    return table


async def _among(sizes: Sequence[int]) -> Table:
    columns = ("people", "fill s", "index MB", "resident MB", "p50 ms", "p99 ms", "p50 CPU ms", "p99 CPU ms")
    table = Table("One person among so many: index on disk, and the decision", columns)
    for people in sizes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.matching_million", str(people)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        measured = json.loads(said)
        table.add(*(measured[column] for column in columns))
        told = ", ".join(f"{measured[word]} {word}" for word in ("matched", "possible", "nobody", "wrong"))
        table.notes.append(f"{people:,}: {told}")
    return table
