"""What the county's schools hold, and `write_education`: transfer files, registers and safeguarding files.

The shape, for whoever reads it:

* `ctf/990nnnn_CTF_XXXXXXX_001.xml`, one a school: the common transfer file. `CTfile/Header/SourceSchool` names the
  school; `CTfile/CTFpupilData/Pupil` holds `UPN`, `Surname`, `Forename`, `DOB`, `Gender`, `BasicDetails`
  (`MiddleNames`, `NCyearActual`, `Ethnicity`, `EnrolStatus`), `SENhistory`, `Address`, `Contacts` (third parties:
  parents and whoever the school rings), `Attendance/YearData` (sessions of this and last school year) and
  `SchoolHistory`. No NHS number.
* `attendance.csv`: `UPN,date,session,code` of this school year, codes of 2024/25.
* `safeguarding.csv`: `UPN,date,category,entry,action,recorded_by,others`; written by hand, full of other people.
* `schools.csv`: `LEA,Estab,SchoolName,Phase,Address,Telephone,SafeguardingLead,SafeguardingLeadTelephone`, and 7000 the
  authority's own register of children educated at home or missing education (`EnrolStatus` EHE or CME).
* `protected.csv`: `UPN,label`, the children of whom it must not be told where they are.

The adopted child is here under its new name alone; the refuge child's address is the refuge, and its school is near it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from broker.demo.county.education_ctf import transfer_file
from broker.demo.county.education_holdings import EducationHoldings, education_holdings
from broker.demo.county.model import County

__all__ = ["EducationHoldings", "education_holdings", "write_education"]


def write_education(county: County, path: Path) -> None:
    """Write the schools' files into the folder `path`, which is made if it is not there.

    Raises:
        FileExistsError: the folder holds such files already.
    """
    holdings = education_holdings(county)
    transfers = path / "ctf"
    transfers.mkdir(parents=True, exist_ok=True)
    for school in holdings.schools:
        with (transfers / f"{school.number}_CTF_XXXXXXX_001.xml").open("xb") as file:
            file.write(transfer_file(holdings, school))
    _write_csv(
        path / "schools.csv",
        (
            "LEA",
            "Estab",
            "SchoolName",
            "Phase",
            "Address",
            "Telephone",
            "SafeguardingLead",
            "SafeguardingLeadTelephone",
        ),
        (school.row() for school in holdings.schools),
    )
    marks = (
        (pupil.upn, day.isoformat(), session, code) for pupil in holdings.pupils for day, session, code in pupil.marks
    )
    _write_csv(path / "attendance.csv", ("UPN", "date", "session", "code"), marks)
    _write_csv(
        path / "safeguarding.csv",
        ("UPN", "date", "category", "entry", "action", "recorded_by", "others"),
        holdings.concerns,
    )
    _write_csv(path / "protected.csv", ("UPN", "label"), holdings.protected)


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
