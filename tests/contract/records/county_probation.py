"""Probation of the synthetic county, for tests: its folder of resources, faults put into it, and who its people are."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from agents.probation.config import ProbationConfig
from agents.probation.records import ProbationSource
from broker.demo.county.probation import ProbationHoldings, probation_holdings, write_probation
from tests.contract.records.county_police import county, noon_ms
from tests.support.clock import HandClock

LONG_AGO_S = 1_600_000_000
"""When the files of a test were written: long before the county's day, so that they count as finished."""


@cache
def holdings() -> ProbationHoldings:
    return probation_holdings(county())


def crn_of(case: str) -> str:
    """The CRN of a hard case."""
    (crn,) = (crn for crn, person in holdings().crns.items() if person == county().cases[case])
    return crn


def write_region(folder: Path) -> Path:
    """The region's export."""
    write_probation(county(), folder)
    for file in folder.iterdir():
        os.utime(file, (LONG_AGO_S, LONG_AGO_S))
    return folder


def open_source(folder: Path, **settings: Any) -> ProbationSource:
    """A source on that folder, on the county's day."""
    config = ProbationConfig.model_validate({"folder": folder, **settings})
    return ProbationSource(config, folder.parent, HandClock(noon_ms()))


def put(folder: Path, resource: str, text: str | bytes) -> None:
    """Replace a file as an export does: whole, by a new one of that name; finished long ago."""
    new = folder / f"{resource}.json.new"
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(new, (LONG_AGO_S, LONG_AGO_S))
    new.replace(folder / f"{resource}.json")


def edit(folder: Path, resource: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Export a resource again with something changed in it."""
    held = json.loads((folder / f"{resource}.json").read_text("utf-8"))
    change(held)
    put(folder, resource, json.dumps(held, ensure_ascii=False))
