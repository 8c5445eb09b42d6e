"""Writing a county: each agency's records into a folder of its own, as that agency would have them and nothing else."""

from __future__ import annotations

from pathlib import Path

from broker.demo.county.education import write_education
from broker.demo.county.health import write_health
from broker.demo.county.model import County
from broker.demo.county.police import write_police
from broker.demo.county.probation import write_probation


def write_county(county: County, root: Path) -> None:
    """Write `police/`, `health/`, `education/` and `probation/` below `root`.

    Raises:
        FileExistsError: one of them holds such records already.
    """
    write_police(county, root / "police")
    write_health(county, root / "health")
    write_education(county, root / "education")
    write_probation(county, root / "probation")
