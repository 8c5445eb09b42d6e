"""What probation holds, and `write_probation`: JSON in the shape of the HMPPS External API, one file a resource.

The shape, for whoever reads it: each file is one JSON object whose keys are CRNs and whose values are what the API's
`data` would be for that person; a person without any has no key. Dates are `YYYY-MM-DD`, the time of a contact has an
offset, money is pounds with pence.

* `persons.json`: a Person, with `identifiers`, `pncId`, `aliases`, `contactDetails`, `currentRestriction` and
  `restrictionMessage`, `currentExclusion` and `exclusionMessage`, `underActiveSupervision`. The case `lao_parent` is
  both restricted and excluded.
* `addresses.json`, `offences.json`, `sentences.json`, `licences.json`, `dynamic-risks.json`, `status-information.json`,
  `contact-events.json`: lists.
* `mappadetail.json`, `risks.json`, `risk-management-plan.json`, `person-responsible-officer.json`: one object each.

Nobody has an NHS number here. Spelling and birth dates are what the court gave, mostly right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.demo.county.model import County, PersonId
from broker.demo.county.probation_cases import add_cases
from broker.demo.county.probation_draws import add_everyone
from broker.demo.county.probation_files import Files


@dataclass(frozen=True, slots=True)
class ProbationHoldings:
    """The resources by file name and CRN, and, known to nobody but a test, which person each CRN really is."""

    resources: Mapping[str, Mapping[str, Any]]
    crns: Mapping[str, PersonId]


def probation_holdings(county: County) -> ProbationHoldings:
    """Return what probation holds about a county: the same for the same county."""
    files = Files(county)
    add_cases(files)
    add_everyone(files)
    return ProbationHoldings(files.resources, dict(files.crns))


def write_probation(county: County, path: Path) -> None:
    """Write the files into the folder `path`, which is made if it is not there.

    Raises:
        FileExistsError: the folder holds such files already.
    """
    path.mkdir(parents=True, exist_ok=True)
    for name, resource in probation_holdings(county).resources.items():
        with (path / f"{name}.json").open("x", encoding="utf-8", newline="\n") as file:
            json.dump(resource, file, ensure_ascii=False, indent=1)
            file.write("\n")
