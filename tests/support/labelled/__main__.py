"""`python -m tests.support.labelled FOLDER`: write the labelled people that the shipped weights are learnt from.

To learn from: a county of 20,000 whose people bear names as common as the country's, and FEBRL's sets 1 and 2. To be
judged by: two other counties, one with the county's own names, and FEBRL's sets 3 and 4.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from agents.training.labelled import LabelledRecord, write_labelled
from tests.support.labelled.drawn import draw_county
from tests.support.labelled.febrl import read_febrl


def judged() -> Iterator[tuple[str, list[LabelledRecord]]]:
    """The sets that nothing was learnt from, by name."""
    yield "county", list(chain.from_iterable(draw_county(12, 5_000)))
    yield "country", list(chain.from_iterable(draw_county(13, 10_000, common_names=True)))
    yield "febrl-3", read_febrl("3")
    yield "febrl-4", read_febrl("4a") + read_febrl("4b")


def learnt() -> Iterator[tuple[str, list[LabelledRecord]]]:
    """The sets to learn from, by name."""
    yield "country", list(chain.from_iterable(draw_county(11, 20_000, common_names=True)))
    yield "febrl-1", read_febrl("1")
    yield "febrl-2", read_febrl("2")


def main() -> int:
    """Write them all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind, sets in (("learn", learnt()), ("judge", judged())):
        for name, records in sets:
            with (folder / f"{kind}-{name}.csv").open("w", encoding="utf-8", newline="") as file:
                write_labelled(records, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
