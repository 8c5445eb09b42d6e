"""The agency's own decision: default refuse, visibly; silence only where a rule is marked so; strictest holds."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.gatekeeping.gatekeeper import SHIPPED, Effect, Gatekeeper, Passage, Question, load_gatekeeper
from agents.runtime.source import Label
from broker.node.policy import PolicyInvalid, load_policy
from schemas.messages.request import RequestHeader
from schemas.records.fields import Marker
from schemas.vocabulary import (
    AgencyRule,
    Category,
    ConsentState,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)

GATEKEEPER = load_gatekeeper(None)
WHOLE = '@id("own") @sentence("All.") @effect("allow_whole") permit (principal, action == Action::"content", resource);'
NONE: frozenset[Label] = frozenset()


def decide(
    category: Category = Category.POLICE_INCIDENT,
    mode: Mode = Mode.CONTENT,
    *,
    person: frozenset[Label] = NONE,
    anybody: frozenset[Label] = NONE,
    record: frozenset[Label] = NONE,
    role: SubjectRole = SubjectRole.INDEX_CHILD,
    gatekeeper: Gatekeeper = GATEKEEPER,
    conflict: bool = False,
    unlisted: bool = False,
    **header: Any,
) -> Passage:
    said = {
        "purpose": Purpose.CHILD_PROTECTION,
        "stage": Stage.ENQUIRY,
        "rag": Rag.AMBER,
        "consent": ConsentState.NOT_SOUGHT,
        "officer_role": OfficerRole.SOCIAL_WORKER,
        **header,
    }
    question = Question(RequestHeader.model_construct(**said), role, person, anybody | person, conflict, unlisted)
    return gatekeeper.decide(question, category, mode, record)


def own(tmp_path: Path, text: str) -> Gatekeeper:
    (tmp_path / "own.cedar").write_text(text)
    return load_gatekeeper(tmp_path)


def test_every_field_that_the_shipped_rules_name_exists() -> None:
    shipped = resources.files("agents.runtime.policy")
    assert SHIPPED in {rule.file for rule in load_policy(shipped / "agency.cedarschema", shipped).rules.values()}


def test_a_rule_of_the_agency_cannot_name_a_field_that_is_not_there(tmp_path: Path) -> None:
    rule = '@id("own") @sentence("A word.") @remove("gendr") permit (principal, action, resource);'
    with pytest.raises(PolicyInvalid, match="'gendr', which is neither a field nor a marker"):
        own(tmp_path, rule)


def test_an_amber_enquiry_gets_content_without_free_text_and_third_parties() -> None:
    passage = decide()
    assert (passage.effect, passage.rule) == (Effect.ALLOW, "permit-enquiry-content")
    assert passage.markers >= {Marker.FREE_TEXT, Marker.THIRD_PARTY}


def test_what_no_rule_permits_is_withheld_visibly() -> None:
    passage = decide(stage=Stage.SCREENING)
    assert (passage.effect, passage.reason) == (Effect.DENY_VISIBLE, "no-rule")


@pytest.mark.parametrize("category", list(Category))
def test_nothing_at_all_leaves_once_the_enquiry_is_decided(category: Category) -> None:
    for mode in Mode:
        assert decide(category, mode, stage=Stage.DECIDED).effect is not Effect.ALLOW


def test_existence_may_be_told_while_screening() -> None:
    assert decide(mode=Mode.EXISTENCE, stage=Stage.SCREENING, rag=Rag.GREEN).effect is Effect.ALLOW


@pytest.mark.parametrize("label", [Label.LIMITED_ACCESS, Label.EXCLUDED])
@pytest.mark.parametrize("category", [Category.PROBATION_ROSH, Category.PROBATION_RMP, Category.PERSON_ADDRESS])
def test_risk_of_a_limited_access_person_is_withheld_visibly(label: Label, category: Category) -> None:
    passage = decide(category, person=frozenset({label}))
    assert (passage.effect, passage.reason) == (Effect.DENY_VISIBLE, "limited-access")


def test_of_a_limited_access_person_demographics_and_free_text_stay_here() -> None:
    passage = decide(
        Category.PROBATION_IDENTITY, person=frozenset({Label.LIMITED_ACCESS}), stage=Stage.STRATEGY_DISCUSSION
    )
    assert passage.effect is Effect.ALLOW
    assert passage.fields >= {"gender", "ethnicity", "contactDetails"}
    assert Marker.FREE_TEXT in passage.markers


@pytest.mark.parametrize("where", ["person", "anybody", "record"])
def test_where_somebody_in_a_refuge_lives_leaves_in_no_record_of_the_request(where: str) -> None:
    labels: dict[str, Any] = {where: frozenset({Label.REFUGE})}
    passage = decide(Category.EDU_ENROLMENT, **labels)
    assert Marker.WHEREABOUTS in passage.markers


def test_adoption_is_silent_in_both_modes_and_through_any_category() -> None:
    for mode in Mode:
        assert decide(Category.CSC_ADOPTION, mode).effect is Effect.DENY_SILENT
        assert decide(mode=mode, person=frozenset({Label.ADOPTED})).effect is Effect.DENY_SILENT
        assert decide(mode=mode, record=frozenset({Label.ADOPTED})).effect is Effect.DENY_SILENT


def test_sexual_health_is_silent_wherever_it_is_recorded() -> None:
    for mode in Mode:
        assert decide(Category.HEALTH_SEXUAL, mode, rag=Rag.RED).effect is Effect.DENY_SILENT
        assert decide(mode=mode, record=frozenset({Label.SEXUAL_HEALTH})).effect is Effect.DENY_SILENT


def test_gender_recognition_is_silent() -> None:
    assert decide(record=frozenset({Label.GENDER_RECOGNITION})).effect is Effect.DENY_SILENT


def test_intelligence_waits_visibly_for_a_person_to_read_it() -> None:
    passage = decide(Category.POLICE_INTELLIGENCE, stage=Stage.STRATEGY_DISCUSSION, rag=Rag.RED)
    assert (passage.effect, passage.reason) == (Effect.REVIEW, "needs-review")


def test_demographics_of_a_sensitive_person_stay_here() -> None:
    passage = decide(Category.PERSON_IDENTITY, person=frozenset({Label.SENSITIVE}))
    assert Marker.WHEREABOUTS in passage.markers
    assert "Ethnicity" in passage.fields


@pytest.mark.parametrize(
    ("category", "header", "masked"),
    [
        (Category.PROBATION_CONTACT, {"rag": Rag.AMBER}, True),
        (Category.PROBATION_CONTACT, {"rag": Rag.RED}, False),
        (Category.PROBATION_CONTACT, {"stage": Stage.STRATEGY_DISCUSSION}, False),
        (Category.AGENCY_INVOLVEMENT, {"rag": Rag.AMBER}, False),
    ],
)
def test_officers_contact_is_masked_outside_red_and_strategy(
    category: Category, header: dict[str, Any], masked: bool
) -> None:
    assert (Marker.OFFICER_CONTACT in decide(category, **header).masked_markers) is masked


@pytest.mark.parametrize(
    ("category", "labels", "masked"),
    [
        (Category.PROBATION_LICENCE, {Label.LIMITED_ACCESS}, True),
        (Category.PROBATION_MAPPA, {Label.EXCLUDED}, True),
        (Category.PROBATION_STATUS, {Label.EXCLUDED}, True),
        (Category.PROBATION_MAPPA, {Label.SENSITIVE}, False),
        (Category.PROBATION_CONTACT, {Label.EXCLUDED}, False),
    ],
)
def test_conditions_and_notes_are_masked_for_people_under_limited_access(
    tmp_path: Path, category: Category, labels: set[Label], masked: bool
) -> None:
    passage = decide(category, person=frozenset(labels), gatekeeper=own(tmp_path, WHOLE))
    assert (Marker.FREE_TEXT in passage.masked_markers) is masked
    assert (Marker.FREE_TEXT in passage.markers) is (category is Category.PROBATION_CONTACT)


@pytest.mark.parametrize(
    ("category", "officer", "masked"),
    [
        (Category.PROBATION_ROSH, OfficerRole.SOCIAL_WORKER, True),
        (Category.PROBATION_REGISTER, OfficerRole.HEALTH_NAVIGATOR, True),
        (Category.PROBATION_ROSH, OfficerRole.POLICE_OFFICER, False),
        (Category.PROBATION_REGISTER, OfficerRole.PROBATION_NAVIGATOR, False),
        (Category.PROBATION_CONTACT, OfficerRole.SOCIAL_WORKER, False),
    ],
)
def test_the_words_of_risk_registers_are_masked_for_all_but_police_and_probation(
    tmp_path: Path, category: Category, officer: OfficerRole, masked: bool
) -> None:
    passage = decide(category, officer_role=officer, gatekeeper=own(tmp_path, WHOLE))
    assert (Marker.FREE_TEXT in passage.masked_markers) is masked
    assert Marker.FREE_TEXT not in passage.markers


def test_a_summary_has_no_wording_no_others_no_officers_and_no_places(tmp_path: Path) -> None:
    rules = (
        '@id("own") @sentence("All.") @effect("allow_whole") permit (principal, action == Action::"content", resource);'
        '@id("brief") @sentence("In summary.") @effect("summary")'
        ' permit (principal, action == Action::"take_away", resource == Category::"police.incident");'
    )
    in_summary = own(tmp_path, rules)
    assert decide(gatekeeper=in_summary).markers == frozenset(Marker)
    assert decide(Category.POLICE_CUSTODY_PNC, gatekeeper=in_summary).markers == frozenset()


def test_a_permit_may_let_a_summary_leave_where_nothing_else_permits(tmp_path: Path) -> None:
    brief = (
        '@id("own") @sentence("Brief.") @effect("summary") permit (principal, action == Action::"content", resource);'
    )
    passage = decide(stage=Stage.SCREENING, gatekeeper=own(tmp_path, brief))
    assert (passage.effect, passage.markers) == (Effect.ALLOW, frozenset(Marker))


def test_a_review_is_milder_than_a_refusal_and_stricter_than_existence(tmp_path: Path) -> None:
    start = '@id("first") @sentence("s") @effect("existence_only") forbid (principal, action, resource);'
    existence = own(tmp_path, start)
    assert decide(gatekeeper=existence).reason == "existence-only"
    assert decide(Category.POLICE_INTELLIGENCE, gatekeeper=existence).effect is Effect.REVIEW
    refusing = own(tmp_path, start.replace("existence_only", "deny_visible"))
    passage = decide(Category.POLICE_INTELLIGENCE, gatekeeper=refusing)
    assert (passage.effect, passage.reason) == (Effect.DENY_VISIBLE, "by-rule")


@pytest.mark.parametrize("role", [SubjectRole.REFERRER, SubjectRole.PROFESSIONAL, SubjectRole.THIRD_PARTY])
def test_bystanders_records_are_not_told(role: SubjectRole) -> None:
    assert decide(role=role).effect is Effect.DENY_VISIBLE


def test_fertility_treatment_is_silent_in_both_modes() -> None:
    for mode in Mode:
        treated = decide(Category.HEALTH_REGISTRATION, mode, record=frozenset({Label.FERTILITY}), rag=Rag.RED)
        assert (treated.effect, treated.rule) == (Effect.DENY_SILENT, "forbid-fertility")
        assert decide(Category.HEALTH_REGISTRATION, mode).effect is Effect.ALLOW


def test_a_conflict_of_interest_is_silent_whatever_is_asked(tmp_path: Path) -> None:
    whole = own(tmp_path, WHOLE)
    for category in Category:
        for mode in Mode:
            assert decide(category, mode, conflict=True, gatekeeper=whole).effect is Effect.DENY_SILENT
    assert decide(conflict=False, gatekeeper=whole).effect is Effect.ALLOW


def test_an_officer_who_is_not_on_a_persons_list_is_told_so_and_nothing_else() -> None:
    for mode in Mode:
        passage = decide(mode=mode, unlisted=True, rag=Rag.RED)
        assert (passage.effect, passage.reason) == (Effect.DENY_VISIBLE, "limited-access")
        assert decide(mode=mode, rag=Rag.RED).effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("header", "leaves"),
    [({"rag": Rag.AMBER}, False), ({"rag": Rag.RED}, True), ({"stage": Stage.STRATEGY_DISCUSSION}, True)],
)
def test_spent_convictions_leave_in_summary_and_only_when_it_is_serious(header: dict[str, Any], leaves: bool) -> None:
    passage = decide(Category.PROBATION_OFFENCE, record=frozenset({Label.SPENT}), **header)
    assert (passage.effect is Effect.ALLOW) is leaves
    assert not leaves or passage.markers == frozenset(Marker)
    assert decide(Category.PROBATION_OFFENCE).effect is Effect.ALLOW


@pytest.mark.parametrize("where", ["person", "record"])
def test_lifelong_anonymity_is_a_label_and_takes_nothing_away(where: str) -> None:
    labels: dict[str, Any] = {where: frozenset({Label.ANONYMITY})}
    labelled, plain = decide(**labels), decide()
    assert (labelled.reason, plain.reason) == ("lifelong-anonymity", None)
    assert replace(labelled, reason=None) == plain


def test_silence_outweighs_a_visible_refusal_and_any_permit(tmp_path: Path) -> None:
    everything = own(
        tmp_path, '@id("all") @sentence("All.") @effect("allow_whole") permit (principal, action, resource);'
    )
    passage = decide(Category.POLICE_INTELLIGENCE, person=frozenset({Label.ADOPTED}), gatekeeper=everything)
    assert passage.effect is Effect.DENY_SILENT


def test_an_agency_may_add_a_rule_of_its_own(tmp_path: Path) -> None:
    stricter = own(
        tmp_path,
        '@id("own-notices") @sentence("Notices stay.") @reason("detriment")'
        ' forbid (principal, action, resource == Category::"police.notice");',
    )
    passage = decide(Category.POLICE_NOTICE, gatekeeper=stricter)
    assert (passage.effect, passage.reason, passage.rule) == (Effect.DENY_VISIBLE, "detriment", "own-notices")
    assert stricter.digest != GATEKEEPER.digest


def test_an_agency_may_allow_free_text_without_third_parties(tmp_path: Path) -> None:
    wider = own(
        tmp_path,
        '@id("own-text") @sentence("Free text.") @effect("allow_free_text")'
        ' permit (principal, action == Action::"content", resource == Category::"police.incident");',
    )
    passage = decide(gatekeeper=wider)
    assert Marker.FREE_TEXT not in passage.markers
    assert Marker.THIRD_PARTY in passage.markers


@pytest.mark.parametrize(
    "text",
    [
        '@id("x") @sentence("s") @effect("deny_silent") permit (principal, action, resource);',
        '@id("x") @sentence("s") @effect("allow") forbid (principal, action, resource);',
        '@id("x") @sentence("s") @effect("mask") forbid (principal, action, resource);',
        '@id("x") @sentence("s") @effect("mask") permit (principal, action == Action::"take_away", resource);',
        '@id("x") @sentence("s") @reason("two words") forbid (principal, action, resource);',
        '@id("x") @sentence("s") @reason("jane-example") forbid (principal, action, resource);',
        '@id("x") @sentence("s") @reason("source-away") forbid (principal, action, resource);',
        '@id("x") @sentence("s") @reason("detriment") permit (principal, action == Action::"take_away", resource);',
        '@id("x") @sentence("s") forbid (principal, action, resource == Category::"police.incdent");',
        '@id("x") @sentence("s") forbid (principal, action, resource) when { context.stag == Stage::"enquiry" };',
        '@id("permit-existence") @sentence("s") permit (principal, action, resource);',
    ],
)
def test_rules_that_cannot_be_relied_on_stop_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyInvalid):
        own(tmp_path, text)


def test_a_reason_that_is_on_no_list_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"policy x: @reason is not one of .*detriment, .*limited-access"):
        own(tmp_path, '@id("x") @sentence("s") @reason("operation-oak") forbid (principal, action, resource);')


def test_the_rules_that_an_asker_may_be_told_of_are_the_shipped_ones_and_no_silent_one() -> None:
    text = (resources.files("agents.runtime.policy") / SHIPPED).read_text("utf-8")
    rules = [rule for rule in text.split("\n@id(")[1:] if "deny_silent" not in rule and "take_away" not in rule]
    told = {rule.split('"')[1] for rule in rules}
    assert told | {"review-category", "review-desk", "no-permit", "policy-error", "own-rule"} == set(AgencyRule)


def test_a_question_the_policy_cannot_evaluate_is_refused() -> None:
    passage = decide(officer_role=type("Role", (), {"value": "emperor"})())
    assert (passage.effect, passage.reason) == (Effect.DENY_VISIBLE, "policy-error")


def test_the_schema_has_the_words_of_the_vocabulary_and_no_others() -> None:
    text = (Path(__file__).parents[5] / "agents/runtime/policy/agency.cedarschema").read_text()
    for name, words in (
        ("Category", Category),
        ("Stage", Stage),
        ("Rag", Rag),
        ("SubjectRole", SubjectRole),
        ("ConsentState", ConsentState),
        ("Label", Label),
        ("Purpose", Purpose),
        ("OfficerRole", OfficerRole),
    ):
        body = text.split(f"entity {name} enum [")[1].split("]")[0]
        assert [word.strip().strip('"') for word in body.split(",") if word.strip()] == [word.value for word in words]
