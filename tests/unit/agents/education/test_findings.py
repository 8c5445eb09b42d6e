"""What is read of a pupil: from the transfer file, from the register by the codes of 2024/25, from what was written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agents.education.records import EducationSource
from schemas.records.attendance_codes import ATTENDED, NOT_COUNTED, UNAUTHORISED, AttendanceCode
from schemas.records.fields import Marker
from schemas.records.registry import marked
from schemas.vocabulary import Category, Mode
from tests.contract.records.county_education import (
    add,
    alter,
    county,
    holdings,
    open_source,
    pupil_of,
    transfer_of,
)
from tests.unit.agents.education.asking import broken, by_upn, facts, findings, matched, the_person

UPN = "H801200001001"


def test_a_years_attendance_is_that_of_its_marks(source: EducationSource) -> None:
    codes = [AttendanceCode(code) for _, _, code in pupil_of("family").marks]
    possible = sum(code not in NOT_COUNTED for code in codes)
    attended = sum(code in ATTENDED for code in codes)
    unauthorised = sum(code in UNAUTHORISED for code in codes)
    fact = facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE)[0]
    assert (fact["SessionsPossible"], fact["SessionsAttended"]) == (possible, attended)
    assert fact["AttendancePercentageTenths"] == round(1000 * attended / possible)
    assert fact["UnauthorisedAbsencePercentageTenths"] == round(1000 * unauthorised / possible)
    assert (fact["AcademicTermYearStart"], fact["AcademicTermYearEnd"]) == ("2026-09-01", "2026-11-20")


def test_a_year_without_marks_is_that_of_the_transfer_file(source: EducationSource) -> None:
    possible, attended, _, unauthorised = pupil_of("family").last_year
    fact = facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE)[1]
    assert (fact["AcademicTermYearStart"], fact["AcademicTermYearEnd"]) == ("2025-09-01", "2026-08-31")
    assert (fact["SessionsPossible"], fact["SessionsAttended"]) == (possible, attended)
    assert fact["UnauthorisedAbsencePercentageTenths"] == round(1000 * unauthorised / possible)


def test_the_average_is_that_of_all_pupils_of_the_school(source: EducationSource) -> None:
    school = pupil_of("family").school
    years = [pupil.last_year for pupil in holdings().pupils if pupil.school is school]
    fact = facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE)[1]
    average = round(1000 * sum(year[1] for year in years) / sum(year[0] for year in years))
    assert fact["SchoolsAverageAttendanceTenths"] == average


def with_marks(folder: Path, codes: str) -> None:
    """A pupil whose register holds these marks, one a morning from 4 January 2027."""
    names = "<Surname>Zetter</Surname><Forename>Ann</Forename><DOB>2018-05-06</DOB>"
    path = transfer_of(folder, "family")
    alter(path, "<CTFpupilData>", f"<CTFpupilData><Pupil><UPN>{UPN}</UPN>{names}</Pupil>")
    rows = (f"{UPN},2027-01-{4 + day:02d},AM,{code}\n" for day, code in enumerate(codes.split()))
    add(folder / "attendance.csv", "".join(rows))


def ann(source: EducationSource, category: Category) -> list[dict[str, object]]:
    (person,) = matched(source, by_upn(UPN))
    return facts(source, person, category)


@pytest.mark.parametrize(
    ("codes", "possible", "attended", "tenths", "unauthorised"),
    [
        ("/ / I", 3, 2, 667, 0),
        ("L K V P W B", 6, 6, 1000, 0),
        ("C C1 C2 M T R I J1 S E", 10, 0, 0, 0),
        ("N G O U", 4, 0, 0, 1000),
        ("/ X Y1 Y7 Q Z # D", 1, 1, 1000, 0),
        ("/ / / / / / / O", 8, 7, 875, 125),
    ],
)
def test_each_code_counts_as_england_counts_it(
    folder: Path, source: EducationSource, codes: str, possible: int, attended: int, tenths: int, unauthorised: int
) -> None:
    with_marks(folder, codes)
    (fact,) = ann(source, Category.EDU_ATTENDANCE)
    assert (fact["SessionsPossible"], fact["SessionsAttended"]) == (possible, attended)
    assert (fact["AttendancePercentageTenths"], fact["UnauthorisedAbsencePercentageTenths"]) == (tenths, unauthorised)


def test_no_session_possible_is_no_percentage(folder: Path, source: EducationSource) -> None:
    with_marks(folder, "# X")
    (fact,) = ann(source, Category.EDU_ATTENDANCE)
    assert fact["SessionsPossible"] == 0
    assert "AttendancePercentageTenths" not in fact


def test_a_welsh_code_holds_in_wales_alone(folder: Path) -> None:
    with_marks(folder, "/ J H Y")
    (fact,) = ann(open_source(folder, nation="wales"), Category.EDU_ATTENDANCE)
    assert (fact["SessionsPossible"], fact["SessionsAttended"]) == (3, 2)
    with pytest.raises(AssertionError):
        ann(open_source(folder), Category.EDU_ATTENDANCE)


def test_marks_are_told_a_week_at_a_time(source: EducationSource) -> None:
    weeks = findings(source, the_person(source, "family"), Category.EDU_ATTENDANCE_MARKS)
    told = [mark for week in weeks for mark in week.record.as_fact()["Marks"]]  # type: ignore[attr-defined]
    marks = pupil_of("family").marks
    assert [(mark["Date"], mark["Session"], mark["Code"]) for mark in told] == [
        (day.isoformat(), session, code) for day, session, code in marks
    ]
    assert all(week.happened_on is not None and week.happened_on.weekday() == 0 for week in weeks)


def test_the_roll_that_counts_a_session_outweighs_the_other(folder: Path, source: EducationSource) -> None:
    with_marks(folder, "D / D")
    add(folder / "attendance.csv", f"{UPN},2027-01-04,AM,/\n{UPN},2027-01-05,AM,D\n")
    (fact,) = ann(source, Category.EDU_ATTENDANCE)
    assert (fact["SessionsPossible"], fact["SessionsAttended"]) == (2, 2)


def test_an_enrolment_names_school_status_and_lead(source: EducationSource) -> None:
    pupil = pupil_of("family")
    (fact,) = facts(source, the_person(source, "family"), Category.EDU_ENROLMENT)
    assert (fact["EducationSettingName"], fact["status"], fact["UPN"]) == (pupil.school.name, "on_roll", pupil.upn)
    assert (fact["DesignatedSafeguardingLead"], fact["EntryDate"]) == (pupil.school.lead, pupil.entered_on.isoformat())


def test_a_school_the_child_has_left_is_told_with_its_last_day(folder: Path, source: EducationSource) -> None:
    left = (
        "<SchoolHistory><School><LEA>991</LEA><Estab>2001</Estab><SchoolName>Elsewhere Primary</SchoolName>"
        "<EntryDate>2023-09-04</EntryDate><LeavingDate>2024-07-19</LeavingDate></School>"
    )
    alter(transfer_of(folder, "family"), "<SchoolHistory>", left, after=pupil_of("family").upn)
    here, before = findings(source, the_person(source, "family"), Category.EDU_ENROLMENT)
    fact = before.record.as_fact()
    assert (fact["EducationSettingName"], fact["status"]) == ("Elsewhere Primary", "left")
    assert (here.happened_on, before.happened_on) == (None, date(2024, 7, 19))


def test_contacts_are_told_as_other_people_with_what_they_are(source: EducationSource) -> None:
    (fact,) = facts(source, the_person(source, "family"), Category.PERSON_HOUSEHOLD)
    mother, man = county().case("family_mother"), county().case("family_stepfather")
    assert fact == {
        "RelatedPeople": [
            {"RelationshipToTheChild": "Mother", "Name": f"{mother.given} {mother.family}"},
            {"RelationshipToTheChild": "Other", "Name": f"{man.given} {man.family}"},
        ]
    }
    assert set(fact) <= marked(Category.PERSON_HOUSEHOLD, Mode.CONTENT, Marker.THIRD_PARTY)


def test_needs_are_told_with_their_kind(source: EducationSource) -> None:
    (fact,) = facts(source, the_person(source, "family"), Category.EDU_SEND)
    assert (fact["SENprovision"], fact["SENtype"]) == ("K", ["SLCN"])


def test_a_child_without_needs_has_none_told(source: EducationSource) -> None:
    pupil = next(one for one in holdings().pupils if one.sen == "N" and one.person.id in county().cases.values())
    case = next(key for key, person in county().cases.items() if person == pupil.person.id)
    assert facts(source, the_person(source, case), Category.EDU_SEND) == []


def test_the_safeguarding_file_is_told_entry_by_entry(source: EducationSource) -> None:
    found = findings(source, the_person(source, "family"), Category.EDU_SAFEGUARDING_FILE)
    assert len(found) == 4
    fact = found[-1].record.as_fact()
    assert fact["categories"] == ["Disclosure"]
    assert "squeezed Mummy's neck" in str(fact["summary_text"])
    assert fact["others_involved"] == ["Carys Oldroyd", "Declan Rawstron"]


def test_an_entry_of_several_lines_is_one(folder: Path, source: EducationSource) -> None:
    upn = pupil_of("family").upn
    add(
        folder / "safeguarding.csv",
        f'{upn},2026-11-19,Neglect;Attendance,"First line.\nSecond ""line"".",Called,A B,\n',
    )
    fact = facts(source, the_person(source, "family"), Category.EDU_SAFEGUARDING_FILE)[-1]
    assert fact["summary_text"] == 'First line.\nSecond "line".'
    assert fact["categories"] == ["Neglect", "Attendance"]


def test_involvement_never_names_the_school(source: EducationSource) -> None:
    (fact,) = facts(source, the_person(source, "family"), Category.AGENCY_INVOLVEMENT)
    assert fact["status"] == "open"
    assert pupil_of("family").school.name not in str(fact)


def test_a_code_of_relationship_that_nobody_mapped_breaks_the_household_alone(
    folder: Path, source: EducationSource
) -> None:
    alter(transfer_of(folder, "family"), ">PAM<", ">XYZ<", after=pupil_of("family").upn)
    person = the_person(source, "family")
    assert broken(source, person, Category.PERSON_HOUSEHOLD) == ["Relationship"]
    assert broken(source, person, Category.PERSON_IDENTITY) == []
    own = open_source(folder, relationships={"XYZ": "Guardian"})
    assert "Guardian" in str(facts(own, the_person(own, "family"), Category.PERSON_HOUSEHOLD))
