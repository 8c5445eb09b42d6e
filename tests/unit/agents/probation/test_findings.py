"""What resources become: the stepfather on licence, the limited-access parent, money, times and registers."""

from __future__ import annotations

from pathlib import Path

from agents.probation.records import ProbationSource
from agents.runtime.source import LocalPerson
from broker.demo.county import story
from schemas.records.registry import categories_of
from schemas.vocabulary import AgencyKind, Category
from tests.contract.records.county_police import STEPFATHER, county
from tests.contract.records.county_probation import crn_of, edit, holdings, open_source
from tests.unit.agents.probation.asking import broken, facts, findings


def ago(days: int) -> str:
    return story.ago(county().as_of, days).isoformat()


def test_the_person_is_told_with_numbers_and_flags(source: ProbationSource) -> None:
    crn = crn_of("lao_parent")
    (identity,) = facts(source, crn, Category.PROBATION_IDENTITY)
    assert (identity["firstName"], identity["lastName"]) == ("Victor", "Jeavons")
    assert identity["identifiers"]["deliusCrn"] == crn
    assert identity["pncId"] == holdings().resources["persons"][crn]["pncId"]
    assert (identity["currentRestriction"], identity["currentExclusion"]) == (True, True)
    assert identity["exclusionMessage"].startswith("You are excluded")


def test_other_names_are_told_in_both_identities(source: ProbationSource) -> None:
    crn = crn_of("alias_user")
    (ours,) = facts(source, crn, Category.PROBATION_IDENTITY)
    assert [(alias["firstName"], alias["lastName"]) for alias in ours["aliases"]] == [("Marek", "Dabrowski")]
    (plain,) = facts(source, crn, Category.PERSON_IDENTITY)
    assert (plain["given"], plain["family"], plain["former_family"]) == ("Mark", "Dobson", ["Dabrowski"])
    assert plain["gender"] == "male"


def test_the_address_he_told_is_not_where_he_lives(source: ProbationSource) -> None:
    (address,) = facts(source, crn_of(STEPFATHER), Category.PERSON_ADDRESS)
    told = county().place_of(county().case("family_step_grandmother"))
    assert (address["Line1"], address["TownOrCity"], address["Postcode"]) == (told.line1, told.town, told.postcode)
    assert (address["startDate"], address["type"]) == (ago(story.RELEASED), "home")


def test_the_licence_and_its_conditions_are_told(source: ProbationSource) -> None:
    (licence,) = facts(source, crn_of(STEPFATHER), Category.PROBATION_LICENCE)
    assert (licence["status"], licence["typeCode"], licence["approvedDate"]) == ("ACTIVE", "AP", ago(story.RELEASED))
    assert [one["category"] for one in licence["conditions"]][2] == "Contact with a person"
    assert "children under 16" in licence["conditions"][2]["condition"]


def test_offences_and_sentences_are_told(source: ProbationSource) -> None:
    crn = crn_of(STEPFATHER)
    offences = facts(source, crn, Category.PROBATION_OFFENCE)
    assert [one["description"] for one in offences] == ["Battery", "Unlawful wounding s20"]
    assert all(one["schedule15ViolentOffence"] for one in offences)
    sentences = facts(source, crn, Category.PROBATION_SENTENCE)
    assert [(one["isActive"], one["length"]["duration"]) for one in sentences] == [(False, 12), (True, 24)]


def test_a_fine_of_pounds_is_told_in_pence(source: ProbationSource) -> None:
    (fine,) = facts(source, crn_of("alias_user"), Category.PROBATION_SENTENCE)
    assert fine["fineAmountPence"] == 12_050


def test_risk_levels_registers_and_mappa_are_told(source: ProbationSource) -> None:
    crn = crn_of(STEPFATHER)
    (risks,) = facts(source, crn, Category.PROBATION_ROSH)
    assert risks["assessedOn"] == ago(story.RELEASED - 30)
    assert risks["summary"]["overallRiskLevel"] == "HIGH"
    assert risks["summary"]["riskInCommunity"]["children"] == "HIGH"
    assert risks["riskToSelf"] == {"suicide": "NO", "selfHarm": "NO", "vulnerability": "NO"}
    assert risks["otherRisks"]["breachOfTrust"] == "DK"
    assert {one["code"] for one in facts(source, crn, Category.PROBATION_REGISTER)} == {"RCCO", "RVAD", "RHRH"}
    (mappa,) = facts(source, crn, Category.PROBATION_MAPPA)
    assert (mappa["level"], mappa["category"]) == (1, 2)
    (plan,) = facts(source, crn, Category.PROBATION_RMP)
    assert plan["keyInformationCurrentSituation"] == "Says he is single and lives with his mother."


def test_contacts_are_told_by_the_second_in_utc(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    edit(
        folder,
        "contact-events",
        lambda held: held[crn][0].update(contactDateTime="2026-07-01T00:30:15.250+01:00"),
    )
    first = findings(source, crn, Category.PROBATION_CONTACT)[0]
    assert first.record.as_fact()["contactDateTime"] == "2026-06-30T23:30:15Z"
    assert first.happened_on is not None
    assert first.happened_on.isoformat() == "2026-06-30"


def test_the_officer_and_the_team_are_told(source: ProbationSource) -> None:
    (officer,) = facts(source, crn_of(STEPFATHER), Category.PROBATION_RESPONSIBLE_OFFICER)
    assert officer["communityOffenderManager"]["team"]["description"] == "Zedford North"
    assert "prisonOffenderManager" not in officer


def test_a_prison_officer_is_told_with_the_prison(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    held_by = {"forename": "Jo", "surname": "Bell", "prison": {"code": "ZZI"}}
    edit(folder, "person-responsible-officer", lambda held: held[crn].update(prisonOffenderManager=held_by))
    (officer,) = facts(source, crn, Category.PROBATION_RESPONSIBLE_OFFICER)
    assert officer["prisonOffenderManager"] == {"forename": "Jo", "surname": "Bell", "prisonCode": "ZZI"}


def test_involvement_is_open_under_supervision_and_names_whom_to_ring(source: ProbationSource) -> None:
    (involvement,) = facts(source, crn_of(STEPFATHER), Category.AGENCY_INVOLVEMENT)
    assert (involvement["status"], involvement["start"]) == ("open", ago(story.EARLIER_CONVICTION))
    assert involvement["TeamInvolvement"] == ["Zedford North"]
    assert involvement["DutyContactDetails"][0]["email"] == "zedford.north@probation.example"
    (over,) = facts(source, crn_of("alias_user"), Category.AGENCY_INVOLVEMENT)
    assert over["status"] == "closed"


def test_a_warrant_is_a_status_and_no_register(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    edit(folder, "status-information", lambda held: held.update({crn: [{"code": "WRSM", "startDate": "2026-01-02"}]}))
    assert facts(source, crn, Category.PROBATION_STATUS) == [{"code": "WRSM", "startDate": "2026-01-02"}]


def test_a_register_of_an_unknown_code_is_broken_unless_it_is_untold(folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    edit(folder, "dynamic-risks", lambda held: held[crn].append({"code": "RSEX", "startDate": "2026-01-02"}))
    telling, untelling = open_source(folder), open_source(folder, untold_registers=("RSEX",))
    assert [field for _, field in broken(telling, crn, Category.PROBATION_REGISTER)] == ["code"]
    assert len(facts(untelling, crn, Category.PROBATION_REGISTER)) == 3


def test_every_category_of_probation_is_answered_for_somebody(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    edit(folder, "status-information", lambda held: held.update({crn: [{"code": "ASFO"}]}))
    told = {category for category in categories_of(AgencyKind.PROBATION) if findings(source, crn, category)}
    assert set(categories_of(AgencyKind.PROBATION)) - told == {Category.PERSON_HOUSEHOLD}


def test_everybody_of_the_county_is_told_without_a_broken_record(source: ProbationSource) -> None:
    for crn in holdings().crns:
        for category in Category:
            assert all(one.local_ref for one in findings(source, crn, category))


def test_somebody_who_is_not_there_has_nothing(source: ProbationSource) -> None:
    assert not [one for category in Category for one in source.findings(LocalPerson("X999999"), category)]
