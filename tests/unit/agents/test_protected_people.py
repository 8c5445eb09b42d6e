"""People who are protected more than others, asked about at all four agencies in every way a hub can ask: where a
refuge is, that two identities are one child, and what is kept of a person under limited access never leave.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.education.config import EducationConfig
from broker.demo.stage import SOURCES
from schemas.identifiers import IdentifierKind
from schemas.messages.request import IdentifierGiven, NameGiven, Subject
from schemas.vocabulary import AgencyKind, Category, Mode, Outcome, Rag, Stage, SubjectRole
from tests.contract.records import county_education, county_health, county_probation
from tests.unit.agents.four_agencies import CIRCUMSTANCES, Agencies, county, open_agencies, subject, text_of

STRATEGY = (Stage.STRATEGY_DISCUSSION, Rag.RED)
RED = (Stage.ENQUIRY, Rag.RED)


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agencies]:
    opened = open_agencies(tmp_path_factory.mktemp("county"))
    yield opened
    for source in opened.sources.values():
        source.close()


def child(case: str) -> Subject:
    return subject(case, SubjectRole.INDEX_CHILD)


REFUGE = {
    "the child": [child("refuge_child")],
    "the resident": [subject("refuge_resident", SubjectRole.VICTIM)],
    "the perpetrator": [subject("refuge_perpetrator", SubjectRole.ALLEGED_PERPETRATOR)],
    "all of them": [
        child("refuge_child"),
        subject("refuge_resident", SubjectRole.PARENT_CARER),
        subject("refuge_perpetrator", SubjectRole.ALLEGED_PERPETRATOR),
    ],
}


def school_words(case: str) -> set[str]:
    """What names a child's school, who works there, and the number that a school gave the child."""
    pupil = county_education.pupil_of(case)
    return {pupil.upn, *pupil.school.row()[2:]} - {"Primary", "Secondary"}


def health_words(case: str) -> set[str]:
    """What names a person's surgery and doctor, and the teams that work with them and their telephones."""
    resources = county_health.holdings().resources
    by_reference = {f"{kind}/{one['id']}": one for kind, found in resources.items() for one in found}
    mine = {f"Patient/{ref}" for ref in county_health.patients_of(case)}
    led = {one["reference"] for ref in mine for one in by_reference[ref]["generalPractitioner"]}
    for episode in resources["EpisodeOfCare"]:
        if episode["patient"]["reference"] in mine:
            led |= {episode["careManager"]["reference"], *(one["reference"] for one in episode["team"])}
    words = set[str]()
    for reference in led:
        one = by_reference[reference]
        name = one["name"] if isinstance(one["name"], str) else one["name"][0]["family"]
        words |= {name, *(point["value"] for point in one.get("telecom", []))}
        words |= {place["postalCode"] for place in one.get("address", [])}
    return words


def refuge_words() -> set[str]:
    """All that would lead somebody to the refuge."""
    resident = county().case("refuge_resident")
    place = county().place_of(resident)
    own = {*place.line1.split(", "), place.line1, place.town, place.postcode, resident.phone, resident.email}
    return {word for word in own | school_words("refuge_child") if word} | {
        word for case in ("refuge_child", "refuge_resident") for word in health_words(case)
    }


@pytest.mark.parametrize("asked", REFUGE)
async def test_where_a_refuge_is_leaves_no_agency_in_any_answer(agencies: Agencies, asked: str) -> None:
    # The perpetrator has a life and a doctor of his own, who may be of the same town.
    words = refuge_words() if asked != "the perpetrator" else {"Harbour House", "1 Lantern Road", "ZZ9 9AA"}
    for where, text in (await agencies.all_told(*REFUGE[asked])).items():
        assert {word for word in words if word in text} == set(), where


async def test_people_in_a_refuge_are_told_of_without_saying_where(agencies: Agencies) -> None:
    rows = await agencies.ask(AgencyKind.EDUCATION, REFUGE["the child"], RED, Mode.CONTENT)
    told = {row.category: row for row in rows}
    assert told[Category.EDU_ENROLMENT].facts[0]["status"] == "on_roll"
    assert told[Category.EDU_ATTENDANCE].outcome is Outcome.ANSWERED
    held = {
        row.category: row for row in await agencies.ask(AgencyKind.EDUCATION, REFUGE["the child"], RED, Mode.EXISTENCE)
    }
    assert held[Category.AGENCY_INVOLVEMENT].facts[0]["contact"] == {"team": "Duty desk", "telephone": "01632 960999"}


async def test_of_any_other_child_school_surgery_and_whom_to_ring_are_told(agencies: Agencies) -> None:
    told = await agencies.all_told(child("family"))
    school, health = told[AgencyKind.EDUCATION, RED, Mode.CONTENT], told[AgencyKind.HEALTH, RED, Mode.CONTENT]
    assert {word for word in school_words("family") if word not in school} == set()
    assert {word for word in health_words("family") if word not in health} == set()
    assert county().place_of(county().case("family")).postcode in school


async def test_free_text_that_names_a_refuge_stays_even_in_a_strategy_discussion(tmp_path: Path) -> None:
    opened = open_agencies(tmp_path)
    (patient,) = county_health.patients_of("refuge_child")
    visit = {
        "resourceType": "Encounter",
        "id": "e-999999",
        "status": "finished",
        "class": {"code": "HH"},
        "type": [{"coding": [{"code": "school-nursing"}]}],
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": "2026-11-02"},
        "reasonCode": [{"text": "Seen with mother at Harbour House"}],
    }
    county_health.add(tmp_path / "export", "Encounter", json.dumps(visit) + "\n")
    for subjects in (REFUGE["the child"], REFUGE["all of them"]):
        rows = await opened.ask(AgencyKind.HEALTH, subjects, STRATEGY, Mode.CONTENT)
        assert "2026-11-02" in text_of(rows)
        assert "Harbour House" not in text_of(rows)


NEW_IDENTITY = [child("adopted_child"), subject("adopter_a", SubjectRole.PARENT_CARER)]


def birth_identity() -> Subject:
    """The adopted child as it was before."""
    person = county().case("adopted_child")
    number = IdentifierGiven(kind=IdentifierKind.NHS_NUMBER, value=person.superseded_nhs_number or "")
    name = NameGiven(given="Jayden", family=person.birth_family or "")
    return subject("adopted_child", SubjectRole.INDEX_CHILD, name=name, identifiers=[number])


def birth_words() -> set[str]:
    mother, infant = county().case("birth_mother"), county().case("adopted_child")
    place = county().place_of(mother)
    return {"Jayden", mother.family, mother.given, place.line1, place.postcode, str(infant.superseded_nhs_number)}


def adoptive_words() -> set[str]:
    infant = county().case("adopted_child")
    place = county().place_of(infant)
    numbers = {str(infant.nhs_number), str(infant.upn)}
    return {infant.given, infant.family, place.line1, place.postcode, *numbers, *school_words("adopted_child")}


async def test_nothing_told_of_an_adopted_child_leads_to_who_it_was(agencies: Agencies) -> None:
    for where, text in (await agencies.all_told(*NEW_IDENTITY)).items():
        assert {word for word in birth_words() if word in text} == set(), where


async def test_nothing_told_of_who_a_child_was_leads_to_who_it_is(agencies: Agencies) -> None:
    for subjects in ([birth_identity()], [birth_identity(), subject("birth_mother", SubjectRole.PARENT_CARER)]):
        for where, text in (await agencies.all_told(*subjects)).items():
            assert {word for word in adoptive_words() if word in text} == set(), where


async def test_asking_by_both_identities_confirms_nothing(agencies: Agencies) -> None:
    now, before = NEW_IDENTITY[0], birth_identity()
    assert before.name is not None
    both = now.model_copy(update={"other_names": [before.name], "identifiers": [*now.identifiers, *before.identifiers]})
    for circumstances in CIRCUMSTANCES:
        for mode in Mode:
            rows = await agencies.ask(AgencyKind.HEALTH, [both], circumstances, mode)
            assert {(row.outcome, row.rule, row.reason, bool(row.facts)) for row in rows} == {
                (Outcome.NOT_KNOWN, None, None, False)
            }


LIMITED = [subject("lao_parent", SubjectRole.PARENT_CARER), child("lao_child")]


def limited_words() -> set[str]:
    """What is kept of the limited-access parent and never told: risk, plan, wording, notes, address, contact."""
    crn = county_probation.crn_of("lao_parent")
    held = {name: found[crn] for name, found in county_probation.holdings().resources.items() if crn in found}
    person, place = held["persons"], county().place_of(county().case("lao_parent"))
    risks, plan = held["risks"]["summary"], held["risk-management-plan"]
    words = {person["ethnicity"], person["restrictionMessage"], person["exclusionMessage"], place.line1, place.postcode}
    words |= {one["number"] for one in person["contactDetails"]["phoneNumbers"]}
    words |= set(person["contactDetails"]["emails"])
    words |= {risks["whoIsAtRisk"], risks["natureOfRisk"], plan["keyInformationCurrentSituation"], plan["supervision"]}
    words |= {one["condition"] for licence in held["licences"] for one in licence["conditions"]}
    words |= {held["mappadetail"]["notes"], *(one["notes"] for one in held["dynamic-risks"] if one["notes"])}
    return words | {'"male"', '"Male"', "VERY_HIGH"}


async def test_risk_address_and_words_of_a_person_under_limited_access_never_leave(agencies: Agencies) -> None:
    for circumstances in CIRCUMSTANCES:
        for mode in Mode:
            rows = await agencies.ask(AgencyKind.PROBATION, LIMITED, circumstances, mode)
            assert {word for word in limited_words() if word in text_of(rows)} == set(), circumstances


async def test_of_a_person_under_limited_access_codes_and_whom_to_ring_are_told(agencies: Agencies) -> None:
    rows = await agencies.ask(AgencyKind.PROBATION, LIMITED[:1], RED, Mode.CONTENT)
    told = {row.category: row for row in rows}
    assert told[Category.PROBATION_ROSH].outcome is Outcome.WITHHELD
    assert told[Category.PERSON_ADDRESS].outcome is Outcome.WITHHELD
    assert told[Category.PROBATION_MAPPA].facts[0]["level"] == 2
    assert "communityOffenderManager" in told[Category.PROBATION_RESPONSIBLE_OFFICER].facts[0]
    assert "KeyWorker" in told[Category.AGENCY_INVOLVEMENT].facts[0]


def test_the_demonstrations_schools_need_the_list_of_protected_children() -> None:
    section = tomllib.loads(SOURCES["education"].format(folder="schools"))
    assert EducationConfig.model_validate(section).protected_file
