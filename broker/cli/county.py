"""`broker county`: an invented county's records in a folder, to try agents on without anybody's real records."""

from __future__ import annotations

from pathlib import Path

import click

from broker.cli.output import explained, json_option, show
from broker.demo.county import build_county, write_county
from schemas.failures import Failure

AGENCIES = ("police", "health", "education", "probation")
SHOWN_CASE = "family"
"""A child whom every agency knows; the other hard cases are in the county too."""


class CountyThere(Failure):
    """There are records in that folder already."""

    code = "county_there"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--people", default=300, show_default=True, type=click.IntRange(36, 500_000), help="Size of the county.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another county.")
@json_option
@explained
def county(folder: Path, people: int, seed: int, as_json: bool) -> None:
    """Write the records that four agencies would hold of an invented county."""
    made = build_county(seed, people)
    try:
        write_county(made, folder)
    except FileExistsError:
        raise CountyThere(f"{folder} holds records already; choose another folder") from None
    child = made.case(SHOWN_CASE)
    facts = {
        "folders": {agency: str(folder / agency) for agency in AGENCIES},
        "child": {"given": child.given, "family": child.family, "born_on": child.born_on.isoformat()},
    }
    lines = [f"{people} invented people in {', '.join(facts['folders'].values())}"]
    lines.append(f"a child to ask about: {child.given} {child.family}, born {child.born_on}")
    show(facts, "\n".join(lines), as_json=as_json)
