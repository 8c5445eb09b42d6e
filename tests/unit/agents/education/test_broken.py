"""What does not hold is told of, a file that cannot be read whole makes nobody unknown, and XML is not believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.education.records import EducationSource
from agents.runtime.source import SourceAway
from schemas.vocabulary import Category
from tests.contract.records.county_education import add, alter, county, open_source, pupil_of, query_for, transfer_of
from tests.unit.agents.education.asking import broken, facts, the_person

FILES = ("schools.csv", "attendance.csv", "safeguarding.csv")


def knows_the_child(source: EducationSource) -> bool:
    return bool(source.people(query_for(county().case("family"))))


@pytest.mark.parametrize(
    ("old", "new", "category", "field"),
    [
        ("<Gender>F", "<Gender>Q", Category.PERSON_IDENTITY, "Gender"),
        ("<PostCode>", "<PostCode>?", Category.PERSON_ADDRESS, "Postcode"),
        ("<EnrolStatus>C", "<EnrolStatus>!", Category.EDU_ENROLMENT, "EnrolStatus"),
        ("<SENprovision>K", "<SENprovision>Z", Category.EDU_SEND, "SENprovision"),
        ("<SessionsPossible>", "<SessionsPossible>x", Category.EDU_ATTENDANCE, "SessionsPossible"),
        ("<EntryDate>20", "<EntryDate>31/12/", Category.EDU_ENROLMENT, "EntryDate"),
    ],
)
def test_a_field_of_a_pupil_that_does_not_hold_breaks_its_category_alone(
    folder: Path, source: EducationSource, old: str, new: str, category: Category, field: str
) -> None:
    alter(transfer_of(folder, "family"), old, new, after=pupil_of("family").upn)
    person = the_person(source, "family")
    assert broken(source, person, category) == [field]
    assert broken(source, person, Category.EDU_SAFEGUARDING_FILE) == []
    assert broken(source, the_person(source, "twin_a"), category) == []


def test_a_birth_date_that_is_none_leaves_the_child_found_by_name(folder: Path, source: EducationSource) -> None:
    alter(transfer_of(folder, "family"), "<DOB>20", "<DOB>31/02/20", after=pupil_of("family").upn)
    (person,) = [one for one in source.people(query_for(county().case("family"))) if pupil_of("family").upn in one.ref]
    assert person.birth_dates == ()
    assert broken(source, person, Category.PERSON_IDENTITY) == ["DOB"]


BOMB = '<!DOCTYPE CTfile [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE CTfile [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<CTfile><Header>",
        "<Other/>",
        "<CTfile/>",
        "<CTfile><CTFpupilData><Pupil><Surname>Zetter</Surname></Pupil></CTFpupilData></CTfile>",
        f"{BOMB}<CTfile><Header>&b;</Header></CTfile>",
        f"{EXTERNAL}<CTfile><Header>&a;</Header></CTfile>",
        "<CTfile>" + "<a>" * 100 + "</a>" * 100 + "</CTfile>",
        '<?xml version="1.0" encoding="no-such-code"?><CTfile/>',
    ],
    ids=[
        "empty",
        "cut short",
        "another root",
        "no header",
        "no school",
        "entities",
        "external",
        "too deep",
        "encoding",
    ],
)
def test_a_transfer_file_that_cannot_be_read_whole_lets_nobody_be_called_unknown(
    folder: Path, source: EducationSource, text: str
) -> None:
    transfer_of(folder, "family").write_text(text)
    with pytest.raises(SourceAway, match="nobody could be called unknown"):
        knows_the_child(source)
    (problem,) = source.check().problems
    assert problem.startswith("ctf/")


def test_a_pupil_without_number_and_surname_lets_nobody_be_called_unknown(
    folder: Path, source: EducationSource
) -> None:
    alter(transfer_of(folder, "family"), "<CTFpupilData>", "<CTFpupilData><Pupil><Forename>Ann</Forename></Pupil>")
    with pytest.raises(SourceAway):
        knows_the_child(source)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("{upn},2026-11-23,AM,!\n", "code"),
        ("{upn},2026-11-31,AM,/\n", "date"),
        ("{upn},2026-11-23,EVE,/\n", "session"),
        ("{upn},2026-11-23,AM\n", "columns"),
        ("{upn},2026-11-23,AM,\n", "code"),
        ("{upn},2026-11-20,AM,G\n", "session"),
        ("X99,2026-11-23,AM,/\n", "UPN"),
        ("garbage\n", "UPN"),
    ],
)
def test_a_row_of_the_register_that_does_not_hold_is_told(
    folder: Path, source: EducationSource, row: str, field: str
) -> None:
    add(folder / "attendance.csv", row.format(upn=pupil_of("family").upn))
    person = the_person(source, "family")
    for category in (Category.EDU_ATTENDANCE, Category.EDU_ATTENDANCE_MARKS):
        assert broken(source, person, category) == [field]
    assert facts(source, person, Category.EDU_SAFEGUARDING_FILE)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("{upn},2026-13-01,a,b,c,d,e\n", "date"),
        ("{upn},2026-11-01\n", "row"),
        ("X99,2026-11-01,a,b,c,d,e\n", "row"),
        ('{upn},2026-11-01,a,"b"x,c,d,e\n', "row"),
        ('{upn},2026-11-01,a,"never ends\n', "row"),
        ("{upn},2026-11-01,a," + "x" * 5000 + ",c,d,e\n", "summary_text"),
    ],
)
def test_a_row_of_the_safeguarding_file_that_does_not_hold_is_told(
    folder: Path, source: EducationSource, row: str, field: str
) -> None:
    add(folder / "safeguarding.csv", row.format(upn=pupil_of("family").upn))
    person = the_person(source, "family")
    assert broken(source, person, Category.EDU_SAFEGUARDING_FILE) == [field]
    assert facts(source, person, Category.EDU_ATTENDANCE)


def test_a_row_that_may_be_anybodys_breaks_its_category_for_everybody(folder: Path, source: EducationSource) -> None:
    add(folder / "safeguarding.csv", "X99,2026-11-01,a,b,c,d,e\n")
    for case in ("family", "twin_a"):
        assert broken(source, the_person(source, case), Category.EDU_SAFEGUARDING_FILE) == ["row"]
    assert source.check().problems == ("safeguarding.csv: 1 different UPNs do not hold and may be anybody's",)


def test_a_row_without_a_number_breaks_nobody_who_has_one(folder: Path, source: EducationSource) -> None:
    add(folder / "safeguarding.csv", ",2026-11-01,a,b,c,d,e\n")
    add(folder / "attendance.csv", ",2026-11-01,AM,/\n")
    person = the_person(source, "family")
    assert (
        broken(source, person, Category.EDU_SAFEGUARDING_FILE) == broken(source, person, Category.EDU_ATTENDANCE) == []
    )


def test_of_a_child_without_a_number_what_is_filed_by_number_could_not_be_looked_at(
    folder: Path, source: EducationSource
) -> None:
    alter(transfer_of(folder, "family"), f"<UPN>{pupil_of('family').upn}</UPN>", "")
    person = the_person(source, "family")
    for category in (Category.EDU_SAFEGUARDING_FILE, Category.EDU_ATTENDANCE_MARKS):
        assert broken(source, person, category) == ["UPN"]
    assert facts(source, person, Category.EDU_ENROLMENT)


@pytest.mark.parametrize("name", [*FILES, "ctf"])
def test_a_file_that_is_missing_is_away(folder: Path, source: EducationSource, name: str) -> None:
    (folder / name).rename(folder / "elsewhere")
    with pytest.raises(SourceAway):
        knows_the_child(source)


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_one_of_its_columns_is_away(folder: Path, source: EducationSource, name: str) -> None:
    path = folder / name
    header, _, rest = path.read_text("utf-8").partition("\n")
    path.write_text(f"{header.rpartition(',')[0]},other\n{rest}", "utf-8")
    with pytest.raises(SourceAway, match="column"):
        knows_the_child(source)


def test_a_register_that_ends_in_the_middle_of_a_line_is_away(folder: Path, source: EducationSource) -> None:
    add(folder / "attendance.csv", pupil_of("family").upn)
    with pytest.raises(SourceAway, match="middle"):
        knows_the_child(source)


def test_columns_in_another_order_and_a_byte_order_mark_change_nothing(folder: Path, source: EducationSource) -> None:
    before = facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE)
    path = folder / "attendance.csv"
    rows = [row.split(",") for row in path.read_text("utf-8").splitlines()]
    path.write_text("\ufeff" + "".join(f"{row[3]},{row[2]},{row[1]},{row[0]}\r\n" for row in rows), "utf-8")
    assert facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE) == before


def test_a_register_in_order_of_days_is_read_as_well(folder: Path, source: EducationSource) -> None:
    before = facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE_MARKS)
    path = folder / "attendance.csv"
    header, *rows = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text(header + "".join(sorted(rows, key=lambda row: row.split(",")[1:3])), "utf-8")
    assert facts(source, the_person(source, "family"), Category.EDU_ATTENDANCE_MARKS) == before


def test_schools_without_a_pupil_are_no_schools(folder: Path, source: EducationSource) -> None:
    for path in (folder / "ctf").iterdir():
        head, _, rest = path.read_text("utf-8").partition("<CTFpupilData")
        path.write_text(f"{head}<CTFpupilData /></CTfile>", "utf-8")
        assert rest
    with pytest.raises(SourceAway, match="not one pupil"):
        knows_the_child(source)


def test_new_files_are_read_before_the_next_look(folder: Path, source: EducationSource) -> None:
    person = the_person(source, "family")
    alter(folder / "safeguarding.csv", "Monitored", "Called the hub")
    assert facts(source, person, Category.EDU_SAFEGUARDING_FILE)[0]["action"] == "Called the hub"


def test_files_newer_than_the_word_that_they_are_finished_are_away(folder: Path) -> None:
    (folder / "done").write_text("")
    os.utime(folder / "done", (1, 1))
    with pytest.raises(SourceAway, match="newer"):
        knows_the_child(open_source(folder, finished_file="done"))
