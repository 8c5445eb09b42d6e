"""What the county's health trust holds, and `write_health`: a FHIR R4 bulk export, one NDJSON file a resource type.

The shape, for whoever reads it: UTF-8, one resource a line, references as `Patient/p-000001`. Nearly everyone of the
county is a Patient.

* **Patient**: NHS number in the identifier slice `https://fhir.nhs.uk/Id/nhs-number` with the extension
  NHSNumberVerificationStatus; no slice where there is none. A local number beside it. `link` type `replaced-by` and
  `replaces` where a number was superseded. `meta.security` R where demographics are restricted ("S-flag"), V on a
  record nobody may open: the adopted child's earlier one, to which nothing links. Some addresses are out of date.
  `generalPractitioner` names a Practitioner and an Organization.
* **Encounter**: `class` EMER for an emergency attendance (`reasonCode.text`, `hospitalization.dischargeDisposition`),
  HH for a contact of a health visitor or school nurse.
* **Appointment**: `status` noshow; `comment` says *was not brought* for a child; `serviceCategory` is the setting.
* **EpisodeOfCare**: involvement of a service; `type[0]` is one of `SERVICES`, `type[1]` the level of the healthy child
  programme where there is one; `team` is a CareTeam (its name and telephone), `careManager` a Practitioner.
  Substance and sexual health are labelled V, mental health R, with the sensitivity beside it.
* **Flag**: `category` safeguarding or cpis; a CP-IS flag's code is `cp-plan`, `unborn-cp-plan` or `looked-after-s20`
  (s31, s38), its author the local authority, and it stays active after its end (CP-IS tells of twelve months).
* **Observation** (expected date of delivery, LOINC 11778-8) and **Condition** (pregnancy) of expectant mothers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.demo.county.health_cases import add_cases
from broker.demo.county.health_draws import add_everyone
from broker.demo.county.health_resources import Resource, Resources
from broker.demo.county.model import County, PersonId


@dataclass(frozen=True, slots=True)
class HealthHoldings:
    """The trust's resources by type, and, known to nobody but a test, which person each Patient really is."""

    resources: Mapping[str, tuple[Resource, ...]]
    patients: Mapping[str, PersonId]


def health_holdings(county: County) -> HealthHoldings:
    """Return what the trust holds about a county: the same for the same county."""
    resources = Resources(county)
    add_cases(resources)
    add_everyone(resources)
    return HealthHoldings({kind: tuple(found) for kind, found in resources.found.items()}, dict(resources.patients))


def write_health(county: County, path: Path) -> None:
    """Write the export into the folder `path`, which is made if it is not there.

    Raises:
        FileExistsError: the folder holds such an export already.
    """
    path.mkdir(parents=True, exist_ok=True)
    for kind, found in health_holdings(county).resources.items():
        with (path / f"{kind}.ndjson").open("x", encoding="utf-8", newline="\n") as export:
            export.writelines(json.dumps(resource, ensure_ascii=False) + "\n" for resource in found)
