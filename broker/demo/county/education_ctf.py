"""A school's common transfer file: element names of DfE's CTF, one file a school.

Owns the XML. Made with the standard library's writer, which escapes what people are called.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from xml.etree import ElementTree

from broker.demo.county.draws import LA_NUMBER
from broker.demo.county.education_holdings import EducationHoldings, Pupil, School
from broker.demo.county.model import Person
from schemas.records.attendance_codes import ATTENDED, AUTHORISED, NOT_COUNTED, AttendanceCode

CTF_VERSION: Final = "23.0"

Element = ElementTree.Element


def transfer_file(holdings: EducationHoldings, school: School) -> bytes:
    """Return the transfer file of a school as UTF-8 XML."""
    as_of = holdings.county.as_of
    root = Element("CTfile")
    header = _group(root, "Header")
    _text(header, "DocumentName", "Common Transfer File")
    _text(header, "CTFversion", CTF_VERSION)
    _text(header, "DateTime", f"{as_of.isoformat()}T06:00:00")
    _text(header, "DocumentQualifier", "full")
    _text(header, "SupplierID", "ZEDMIS")
    source = _group(header, "SourceSchool")
    _text(source, "LEA", LA_NUMBER)
    _text(source, "Estab", str(school.estab))
    _text(source, "SchoolName", school.name)
    _text(source, "AcademicYear", str(_school_year(as_of)))
    data = _group(root, "CTFpupilData")
    for pupil in holdings.pupils:
        if pupil.school is school:
            _add_pupil(holdings, data, pupil)
    ElementTree.indent(root, " ")
    xml: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return xml


def _add_pupil(holdings: EducationHoldings, data: Element, pupil: Pupil) -> None:
    person = pupil.person
    element = _group(data, "Pupil")
    _text(element, "UPN", pupil.upn)
    _text(element, "Surname", person.family)
    _text(element, "Forename", person.given)
    _text(element, "DOB", person.born_on.isoformat())
    _text(element, "Gender", person.sex)
    basic = _group(element, "BasicDetails")
    if person.middle:
        _text(basic, "MiddleNames", person.middle)
    _text(basic, "NCyearActual", pupil.year_group)
    _text(basic, "Ethnicity", person.ethnicity)
    _text(basic, "EnrolStatus", pupil.status)
    if pupil.sen != "N":
        history = _group(element, "SENhistory")
        sen = _group(history, "SEN")
        _text(sen, "StartDate", pupil.entered_on.isoformat())
        _text(sen, "SENprovision", pupil.sen)
        need = _group(_group(history, "SENneeds"), "SENneed")
        _text(need, "SENtypeRank", "1")
        _text(need, "SENtype", pupil.need or "OTH")
    _add_address(holdings, element, person)
    _add_contacts(holdings, element, person)
    _add_attendance(holdings, element, pupil)
    school = _group(_group(element, "SchoolHistory"), "School")
    _text(school, "LEA", LA_NUMBER)
    _text(school, "Estab", str(pupil.school.estab))
    _text(school, "SchoolName", pupil.school.name)
    _text(school, "EntryDate", pupil.entered_on.isoformat())


def _add_address(holdings: EducationHoldings, parent: Element, person: Person) -> None:
    place = holdings.county.place_of(person)
    address = _group(parent, "Address")
    lines = _group(address, "AddressLines")
    _text(lines, "AddressLine1", place.line1)
    _text(lines, "AddressLine2", place.town)
    _text(address, "PostCode", place.postcode)


def _add_contacts(holdings: EducationHoldings, parent: Element, person: Person) -> None:
    """Parents, and other adults of the household as *other*: schools ring whoever answers."""
    county = holdings.county
    adults = [one for one in county.with_household(person) if one.age_on(county.as_of) >= 18]
    away = [county.people[one] for one in person.parents if county.people[one].household != person.household]
    if county.households[person.household].is_refuge:
        # The school was told not to list him.
        away = []
    contacts = _group(parent, "Contacts")
    for order, adult in enumerate([*adults, *away], start=1):
        contact = _group(contacts, "Contact")
        is_parent = adult.id in person.parents
        _text(contact, "Order", str(order))
        _text(contact, "Surname", adult.family)
        _text(contact, "Forename", adult.given)
        _text(contact, "Relationship", ("PAM" if adult.sex == "F" else "PAF") if is_parent else "OTH")
        _text(contact, "Responsibility", "1" if is_parent else "0")
        if adult.phone:
            phone = _group(_group(contact, "Phones"), "Phone")
            _text(phone, "TelephoneType", "M" if adult.phone.startswith("07") else "H")
            _text(phone, "PhoneNo", adult.phone)


def _add_attendance(holdings: EducationHoldings, parent: Element, pupil: Pupil) -> None:
    attendance = _group(parent, "Attendance")
    this_year = _school_year(holdings.county.as_of)
    for year, sessions in ((this_year - 1, pupil.last_year), (this_year, _sessions(pupil))):
        data = _group(attendance, "YearData")
        _text(data, "Year", str(year))
        _text(data, "LEA", LA_NUMBER)
        _text(data, "Estab", str(pupil.school.estab))
        _text(data, "SchoolName", pupil.school.name)
        names = ("SessionsPossible", "SessionsAttended", "SessionsAuthorised", "SessionsUnauthorised")
        for name, count in zip(names, sessions, strict=True):
            _text(data, name, str(count))


def _sessions(pupil: Pupil) -> tuple[int, int, int, int]:
    codes = [AttendanceCode(code) for _, _, code in pupil.marks]
    possible = sum(code not in NOT_COUNTED for code in codes)
    attended = sum(code in ATTENDED for code in codes)
    authorised = sum(code in AUTHORISED for code in codes)
    return possible, attended, authorised, possible - attended - authorised


def _school_year(as_of: date) -> int:
    """Return the year a school year ends in, as DfE counts them."""
    return as_of.year + 1 if as_of.month >= 9 else as_of.year


def _group(parent: Element, name: str) -> Element:
    return ElementTree.SubElement(parent, name)


def _text(parent: Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
