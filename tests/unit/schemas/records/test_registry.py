"""The registry: complete, documented, and strict about what a fact may be."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Disposition
from schemas.records.fields import Marker, has_source
from schemas.records.record import Existence, Part, Record
from schemas.records.registry import (
    DEPTH_MAX,
    FACT_MAX_CHARACTERS,
    FactInvalid,
    categories_of,
    date_of,
    fields_of,
    kind_of,
    marked,
    marked_paths_of,
    model_of,
    summary_fields,
    validate_fact,
)
from schemas.vocabulary import AgencyKind, Category, Mode

from .samples import sample_of

CONTENT, EXISTENCE = Mode.CONTENT, Mode.EXISTENCE
ALL = [(category, mode) for category in Category for mode in Mode]

ROSH = {
    "assessedOn": "2026-03-01",
    "summary": {"overallRiskLevel": "HIGH", "riskInCommunity": {"children": "VERY_HIGH"}},
}


@pytest.mark.parametrize(("category", "mode"), ALL)
def test_every_category_has_a_model_in_both_modes(category: Category, mode: Mode) -> None:
    model = model_of(category, mode)
    assert issubclass(model, Record)
    assert fields_of(category, mode) == set(model.model_fields)
    assert (model is Existence) == (mode is EXISTENCE)


@pytest.mark.parametrize("category", Category)
def test_a_category_has_a_content_model_of_its_own(category: Category) -> None:
    sharing = [other for other in Category if model_of(other, CONTENT) is model_of(category, CONTENT)]
    assert sharing == [category]


def _properties(category: Category) -> list[tuple[str, dict[str, Any]]]:
    schema = model_of(category, CONTENT).model_json_schema()
    described = [schema, *schema.get("$defs", {}).values()]
    return [pair for one in described for pair in one.get("properties", {}).items()]


@pytest.mark.parametrize("category", Category)
def test_every_field_says_what_it_means_and_where_its_name_comes_from(category: Category) -> None:
    for name, field in _properties(category):
        assert has_source(field.get("description")), name


@pytest.mark.parametrize(("category", "mode"), ALL)
def test_the_json_schema_is_2020_12_without_tuples_nulls_and_fractions(category: Category, mode: Mode) -> None:
    schema = model_of(category, mode).model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "prefixItems" not in text
    assert '"null"' not in text
    assert '"number"' not in text


@pytest.mark.parametrize("category", Category)
def test_a_fields_name_has_a_unit_where_its_number_needs_one(category: Category) -> None:
    for name, field in _properties(category):
        meaning = field["description"]
        assert ("tenths of a per cent" in meaning) == name.endswith("Tenths"), name
        assert (", pence" in meaning) == name.endswith("Pence"), name


@pytest.mark.parametrize(("category", "mode"), ALL)
def test_the_fields_that_date_and_show_a_fact_are_its_own(category: Category, mode: Mode) -> None:
    model = model_of(category, mode)
    assert set(model.dated_by) <= set(model.model_fields)
    assert set(model.one_line) <= set(model.model_fields)
    assert summary_fields(category)


@pytest.mark.parametrize("category", Category)
def test_only_who_a_person_is_has_no_place_in_a_chronology(category: Category) -> None:
    undated = {Category.PERSON_IDENTITY, Category.CSC_CHILD, Category.PROBATION_IDENTITY}
    assert (model_of(category, CONTENT).dated_by == ()) == (category in undated)


@pytest.mark.parametrize("category", Category)
def test_a_full_record_becomes_a_fact_that_is_valid_in_whole_and_in_any_part(category: Category) -> None:
    record = sample_of(model_of(category, CONTENT))
    fact = record.as_fact()
    assert set(fact) == fields_of(category, CONTENT)
    validate_fact(category, CONTENT, fact)
    validate_fact(category, CONTENT, {})
    jsonschema.Draft202012Validator(type(record).model_json_schema()).validate(fact)
    for name, value in fact.items():
        validate_fact(category, CONTENT, {name: value})
    assert json.loads(json.dumps(fact)) == fact


@given(st.sampled_from(ALL), st.data())
def test_any_subset_of_a_valid_fact_is_valid(which: tuple[Category, Mode], data: st.DataObject) -> None:
    category, mode = which
    fact = sample_of(model_of(category, mode)).as_fact()
    kept = data.draw(st.sets(st.sampled_from(sorted(fact))))
    validate_fact(category, mode, {name: fact[name] for name in kept})


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(st.sampled_from(ALL), st.data(), _JSON)
def test_any_json_is_a_fact_or_refused_as_one(which: tuple[Category, Mode], data: st.DataObject, value: object) -> None:
    category, mode = which
    name = data.draw(st.one_of(st.sampled_from(sorted(fields_of(category, mode))), st.text(max_size=5)))
    fact = {name: value}
    try:
        validate_fact(category, mode, fact)
    except FactInvalid:
        return
    assert isinstance(date_of(category, mode, fact), date | None)
    assert model_of(category, mode).model_validate_json(json.dumps(fact)).as_fact() == fact


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        ({"assessedOn": None}, "assessedOn"),
        ({"assessedOn": 20260301}, "assessedOn"),
        ({"assessedOn": "2026-02-30"}, "assessedOn"),
        ({"assessedOn": "01/03/2026"}, "assessedOn"),
        ({"assessedOn": "2026-03-01T00:00:00"}, "assessedOn"),
        ({"assessedOn": date(2026, 3, 1)}, "assessedOn"),
        ({"assessedOn": "2026-03-01\n"}, "assessedOn"),
        ({"assessedOn": "٢٠٢٦-٠٣-٠١"}, "assessedOn"),
        ({"summary": {"overallRiskLevel": "high"}}, "summary"),
        ({"summary": {"overallRiskLevel": None}}, "summary"),
        ({"summary": {"whoIsAtRisk": "\ud800"}}, "summary"),
        ({"summary": {"whoIsAtRisk": "a\u202eb"}}, "summary"),
        ({"summary": {"whoIsAtRisk": "a\x1bb"}}, "summary"),
        ({"summary": {"whoIsAtRisk": "x" * 4001}}, "summary"),
        ({"summary": {"surprise": "x"}}, "summary"),
        ({"summary": "HIGH"}, "summary"),
        ({"surname": "Smith"}, None),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_only_the_field_is_named(
    fact: dict[str, object], field: str | None
) -> None:
    with pytest.raises(FactInvalid) as refused:
        validate_fact(Category.PROBATION_ROSH, CONTENT, {**ROSH, **fact})
    assert refused.value.field == field
    assert refused.value.category is Category.PROBATION_ROSH
    assert refused.value.disposition is Disposition.REJECT
    assert refused.value.__cause__ is None
    for word in ("surname", "Smith", "surprise", "2026"):
        assert word not in str(refused.value)


@pytest.mark.parametrize(
    ("category", "fact"),
    [
        (Category.EDU_ATTENDANCE, {"AttendancePercentageTenths": 1001}),
        (Category.EDU_ATTENDANCE, {"AttendancePercentageTenths": 93.4}),
        (Category.EDU_ATTENDANCE, {"AttendancePercentageTenths": "934"}),
        (Category.EDU_ATTENDANCE, {"AttendancePercentageTenths": True}),
        (Category.EDU_ATTENDANCE, {"Suspensions": -1}),
        (Category.EDU_ATTENDANCE_MARKS, {"Marks": [{"Code": "?"}]}),
        (Category.EDU_ATTENDANCE_MARKS, {"Marks": [{"Code": "/"}] * 51}),
        (Category.POLICE_DA, {"dash_score": 28}),
        (Category.POLICE_CUSTODY_PNC, {"pncId": "08/545166T"}),
        (Category.POLICE_CUSTODY_PNC, {"pncId": "2008/0545166X"}),
        (Category.PERSON_IDENTITY, {"nhs_number": "943 476 5919"}),
        (Category.PERSON_IDENTITY, {"given": ""}),
        (Category.PERSON_IDENTITY, {"given": "x" * 201}),
        (Category.PERSON_IDENTITY, {"email": "not an address"}),
        (Category.PROBATION_MAPPA, {"level": 4}),
        (Category.PROBATION_SENTENCE, {"fineAmountPence": 10**13}),
        (Category.FIRE_VISIT, {"clutterRating": 0}),
        (Category.CSC_REFERRAL, {"ReferralSource": "11"}),
        (Category.IDVA_CASE, {"address": "1 Example Road"}),
    ],
)
def test_a_value_over_its_limits_or_in_another_type_is_refused(category: Category, fact: dict[str, object]) -> None:
    with pytest.raises(FactInvalid):
        validate_fact(category, CONTENT, fact)


def test_a_fact_longer_than_the_limit_is_refused_though_each_field_is_within_its_own() -> None:
    condition = {"condition": "x" * 4000}
    enough = FACT_MAX_CHARACTERS // 4000
    validate_fact(Category.PROBATION_LICENCE, CONTENT, {"conditions": [condition] * (enough - 1)})
    with pytest.raises(FactInvalid, match="longer than"):
        validate_fact(Category.PROBATION_LICENCE, CONTENT, {"conditions": [condition] * (enough + 1)})


def test_a_deeply_nested_value_is_refused_before_it_is_parsed() -> None:
    value: object = "x"
    for _ in range(DEPTH_MAX + 100_000):
        value = [value]
    with pytest.raises(FactInvalid, match="field summary"):
        validate_fact(Category.PROBATION_ROSH, CONTENT, {"summary": value})


@pytest.mark.parametrize(
    ("fact", "ok"),
    [
        ({"held": True, "open": True, "latest_on": "2026-03", "contact": {"team": "MASH"}}, True),
        ({"held": False}, False),
        ({"latest_on": "2026-03-01"}, False),
        ({"latest_on": "2026-13"}, False),
        ({"grade": "high"}, False),
    ],
)
def test_existence_says_known_open_months_and_contact_and_nothing_else(fact: dict[str, object], ok: bool) -> None:
    if ok:
        validate_fact(Category.POLICE_NOTICE, EXISTENCE, fact)
    else:
        with pytest.raises(FactInvalid):
            validate_fact(Category.POLICE_NOTICE, EXISTENCE, fact)


@pytest.mark.parametrize(
    ("category", "mode", "fact", "day"),
    [
        (Category.POLICE_NOTICE, CONTENT, {"date": "2026-02-03"}, date(2026, 2, 3)),
        (Category.POLICE_NOTICE, CONTENT, {"grade": "high"}, None),
        (Category.POLICE_NOTICE, EXISTENCE, {"latest_on": "2026-02"}, date(2026, 2, 1)),
        (Category.POLICE_NOTICE, EXISTENCE, {"earliest_on": "2025-12"}, date(2025, 12, 1)),
        (Category.PROBATION_CONTACT, CONTENT, {"contactDateTime": "2026-02-03T10:00:00Z"}, date(2026, 2, 3)),
        (Category.CSC_ADOPTION, CONTENT, {"matched_date": "2026-02-03"}, date(2026, 2, 3)),
        (Category.PERSON_IDENTITY, CONTENT, {"birthdate": "2019-02-03"}, None),
    ],
)
def test_a_fact_is_dated_by_the_first_of_its_fields_that_is_there(
    category: Category, mode: Mode, fact: dict[str, object], day: date | None
) -> None:
    assert date_of(category, mode, fact) == day


def test_each_category_is_held_by_the_kind_of_agency_its_name_says() -> None:
    prefixes = {
        "person": None,
        "agency": None,
        "csc": AgencyKind.SOCIAL_CARE,
        "health": AgencyKind.HEALTH,
        "edu": AgencyKind.EDUCATION,
        "police": AgencyKind.POLICE,
        "probation": AgencyKind.PROBATION,
        "asc": AgencyKind.SOCIAL_CARE,
        "housing": AgencyKind.HOUSING,
        "fire": AgencyKind.FIRE,
        "vol": AgencyKind.VOLUNTARY,
        "idva": AgencyKind.IDVA,
    }
    for category in Category:
        assert kind_of(category) is prefixes[category.value.split(".")[0]]


@pytest.mark.parametrize("kind", AgencyKind)
def test_an_agency_is_asked_for_its_own_categories_and_the_common_ones(kind: AgencyKind) -> None:
    assert set(categories_of(kind)) == {category for category in Category if kind_of(category) in (None, kind)}
    assert Category.AGENCY_INVOLVEMENT in categories_of(kind)


def test_markers_find_fields_at_the_top_and_inside_parts() -> None:
    assert marked(Category.PROBATION_LICENCE, CONTENT, Marker.FREE_TEXT) == {"conditions"}
    assert marked_paths_of(Category.PROBATION_LICENCE, CONTENT, Marker.FREE_TEXT) == {("conditions", "condition")}
    assert "RelatedPeople" in marked(Category.PERSON_HOUSEHOLD, CONTENT, Marker.THIRD_PARTY)
    assert "contact" in marked(Category.POLICE_NOTICE, EXISTENCE, Marker.OFFICER_CONTACT)
    assert "Postcode" in marked(Category.PERSON_ADDRESS, CONTENT, Marker.WHEREABOUTS)


TELLS_A_PLACE = re.compile(
    r"address|postcode|location|educationsetting|surgery|team|department|accommodation|authority", re.I
)
TELLS_NO_PLACE = {"noFixedAddress"}
OF_NO_PLACE = {(Category.POLICE_INTELLIGENCE, ("sanitised_by",))}
"""A worker of the whole force."""


@pytest.mark.parametrize("category", Category)
def test_whoever_learns_a_place_or_who_works_there_learns_where_the_subject_is(category: Category) -> None:
    whereabouts = marked_paths_of(category, CONTENT, Marker.WHEREABOUTS)
    for path in marked_paths_of(category, CONTENT, Marker.OFFICER_CONTACT):
        outer = {path[:steps] for steps in range(1, len(path) + 1)}
        assert outer & whereabouts or (category, path) in OF_NO_PLACE, path
    named = {name for name in fields_of(category, CONTENT) if TELLS_A_PLACE.search(name)} - TELLS_NO_PLACE
    assert named <= marked(category, CONTENT, Marker.WHEREABOUTS)


@pytest.mark.parametrize(
    ("category", "field"),
    [
        (Category.EDU_ENROLMENT, "UPN"),
        (Category.EDU_ATTENDANCE, "SchoolsAverageAttendanceTenths"),
        (Category.HEALTH_ED_ATTENDANCE, "Disposal"),
        (Category.PERSON_HOUSEHOLD, "NamesOfIndividualsResidingAtMainAddress"),
        (Category.POLICE_CUSTODY_PNC, "bail_conditions"),
        (Category.CSC_CHILD, "FormerUPN"),
        (Category.VOL_INVOLVEMENT, "service"),
    ],
)
def test_what_tells_where_the_subject_is_by_another_name_is_marked_too(category: Category, field: str) -> None:
    assert field in marked(category, CONTENT, Marker.WHEREABOUTS)


def _long_texts(schema: dict[str, Any]) -> set[str]:
    described = [schema, *schema.get("$defs", {}).values()]
    found = (item for one in described for item in one.get("properties", {}).items())
    return {name for name, field in found if "4000" in json.dumps(field)}


@pytest.mark.parametrize("category", Category)
def test_every_long_text_is_marked_as_free_text(category: Category) -> None:
    marked_names = {path[-1] for path in marked_paths_of(category, CONTENT, Marker.FREE_TEXT)}
    assert _long_texts(model_of(category, CONTENT).model_json_schema()) == marked_names


@pytest.mark.parametrize("category", Category)
def test_no_record_shows_a_value_when_printed_or_refused(category: Category) -> None:
    record = sample_of(model_of(category, CONTENT))
    assert repr(record) == f"{type(record).__name__}()"
    assert str(record) == ""
    with pytest.raises(ValueError, match="validation error") as refused:
        type(record).model_validate_json('{"surname": "Featherstone"}')
    assert "Featherstone" not in str(refused.value)


def test_a_record_cannot_be_changed() -> None:
    part: Part = Existence(held=True)
    with pytest.raises(ValueError, match="frozen"):
        part.open = True  # type: ignore[attr-defined]
