"""The short way to ask a policy answers as the whole way does: whatever is asked, whatever the rules, errors too."""

from __future__ import annotations

import random
from collections.abc import Iterable

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.source import Label
from broker.node.policy import Context, Uid, make_policy
from broker.node.policy import rulebook as module
from broker.node.policy.question import Value
from broker.node.policy.rulebook import Answer, Rulebook
from broker.policy.packs import load_pack
from broker.policy.vocabulary import ENTITY_TYPES
from tests.support.rules import Question, england_rules, question, questions_to_a_hub

SCHEMA = """
entity Officer enum ["manager", "worker"];
entity Record enum ["school", "police"];
entity Purpose enum ["protect", "plan"];
action any;
action look in [any] appliesTo {
    principal: [Officer], resource: [Record],
    context: { purpose: Purpose, tags: Set<Purpose>, open: Bool, age?: Long, day?: datetime, late?: Bool }
};
action take in [any] appliesTo {
    principal: [Officer], resource: [Record], context: { purpose: Purpose, tags: Bool }
};
"""
PLAN, PROTECT = Uid("Purpose", "plan"), Uid("Purpose", "protect")
MANAGER, WORKER = Uid("Officer", "manager"), Uid("Officer", "worker")
SCHOOL, POLICE = Uid("Record", "school"), Uid("Record", "police")
CONTEXT: Context = {"purpose": PLAN, "tags": frozenset({PLAN}), "open": False}
MAY = "permit (principal, action, resource);"


def rulebook(*bodies: str) -> Rulebook:
    """Rules with these bodies, `r0` and so on; of `look` alone where they read the context, as the schema requires."""
    looks = [body.replace(" action,", ' action == Action::"look",') if "context" in body else body for body in bodies]
    texts = {f"{at}.cedar": f'@id("r{at}") @sentence("x")\n{body}' for at, body in enumerate(looks)}
    return make_policy(("s.cedarschema", SCHEMA), texts)._rulebook


def asked(
    principal: Uid = MANAGER, action: str = "look", resource: Uid = SCHOOL, context: Context = CONTEXT
) -> Question:
    return question(principal, action, resource, context)


def hold(book: Rulebook, questions: Iterable[Question]) -> int:
    """Ask everything until it is asked the short way, and compare; in how many cases it was."""
    whole = {one: book.ask_whole(*one) for one in questions}
    for _ in range(2):
        assert {one: book.ask(*one) for one in whole} == whole
    short = {one: book.ask_short(*one) for one in whole}
    assert all(answer in (None, whole[one]) for one, answer in short.items())
    return sum(answer is not None for answer in short.values())


OPEN_FAILS = "(if context.open then 9223372036854775807 else 1) + 1 > 0"
ALWAYS_FAILS = "9223372036854775807 + 1 > 0"
LEAVES = (
    'context.purpose == Purpose::"plan"',
    'Purpose::"protect" != context.purpose',
    '[Officer::"manager", Officer::"worker"].contains(principal)',
    '[Record::"police"].contains(resource)',
    'principal == Officer::"worker"',
    'action == Action::"look"',
    'action in Action::"any"',
    'principal in Officer::"worker"',
    "principal is Officer",
    'context.tags.contains(Purpose::"plan")',
    'context.tags.containsAny([Purpose::"plan", Purpose::"protect"])',
    'context.tags.containsAll([Purpose::"plan"])',
    "context.tags.contains(context.purpose)",
    "context.tags.isEmpty()",
    "context.open",
    "context.open == false",
    "context has late",
    "(context has late && context.late)",
    "(context has age && context.age * 4611686018427387904 > 5)",
    '(context has day && context.day > datetime("2026-01-01"))',
    "{a: context.open}.a",
    OPEN_FAILS,
    ALWAYS_FAILS,
    "true",
)
conditions = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)
clauses = st.lists(st.builds("{} {{ {} }}".format, st.sampled_from(["when", "unless"]), conditions), max_size=3)
bodies = st.builds(
    "{} ({}, {}, {}) {};".format,
    st.sampled_from(["permit", "forbid"]),
    st.sampled_from(["principal", 'principal == Officer::"manager"', 'principal in Officer::"worker"']),
    st.sampled_from(['action == Action::"look"', 'action in [Action::"look"]']),
    st.sampled_from(["resource", 'resource == Record::"school"']),
    clauses.map(" ".join),
)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    context: dict[str, Value] = {
        "purpose": draw(st.sampled_from([PLAN, PROTECT])),
        "tags": draw(st.frozensets(st.sampled_from([PLAN, PROTECT]))),
        "open": draw(st.booleans()),
    }
    if draw(st.booleans()):
        context["late"] = draw(st.booleans())
    if draw(st.integers(0, 4)) == 0:
        context["age"] = draw(st.integers(0, 3))
    return asked(draw(st.sampled_from([MANAGER, WORKER])), "look", draw(st.sampled_from([SCHOOL, POLICE])), context)


@settings(max_examples=60, deadline=None)
@given(st.lists(bodies, min_size=1, max_size=6), st.lists(questions(), min_size=4, max_size=12))
def test_generated_rules_answer_alike_both_ways_errors_included(rules: list[str], asks: list[Question]) -> None:
    hold(rulebook(*rules), asks)


@pytest.mark.parametrize(
    "conditions",
    [
        f'when {{ principal == Officer::"manager" && {OPEN_FAILS} && context.purpose == Purpose::"protect" }}',
        f'when {{ principal != Officer::"worker" }} when {{ {OPEN_FAILS} }} when {{ !context.tags.isEmpty() }}',
        f'when {{ principal != Officer::"worker" }} when {{ {OPEN_FAILS} && context.tags.contains(context.purpose) }}',
        f'unless {{ principal == Officer::"worker" || {OPEN_FAILS} || context.purpose == Purpose::"plan" }}',
    ],
)
@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_a_rule_that_fails_before_a_condition_that_is_not_met_fails_both_ways(effect: str, conditions: str) -> None:
    book = rulebook(MAY, f"{effect} (principal, action, resource) {conditions};")
    opened: Context = {**CONTEXT, "open": True, "tags": frozenset()}
    # Every part of the question is accepted, by others that nothing fails about.
    assert hold(book, [asked(WORKER, context=opened), asked(context={**CONTEXT, "open": False})]) == 2
    assert book.ask_whole(*asked(context=opened)) is None
    assert [book.ask(*asked(context=opened)) for _ in range(3)] == [None] * 3


def test_a_rule_that_would_fail_where_it_cannot_apply_fails_neither_way() -> None:
    fails = f"forbid (principal, action, resource) when {{ context.open && {ALWAYS_FAILS} }};"
    book = rulebook(MAY, fails, f'forbid (principal, action == Action::"take", resource) when {{ {ALWAYS_FAILS} }};')
    assert hold(book, [asked()]) == 1
    assert book.ask(*asked()) == (True, ("r0",))
    assert book.ask(*asked(context={**CONTEXT, "open": True})) is None


def test_a_rule_about_a_group_of_actions_is_asked_about_each_of_them() -> None:
    book = rulebook('permit (principal, action in [Action::"any"], resource);')
    assert hold(book, [asked(), asked(action="take", context={"purpose": PLAN, "tags": True})]) == 2
    assert book.ask(*asked()) == (True, ("r0",))


def test_a_forbid_that_can_apply_is_asked_beside_the_permit() -> None:
    book = rulebook(MAY, 'forbid (principal == Officer::"worker", action, resource);')
    assert hold(book, [asked(), asked(WORKER)]) == 2
    assert [book.ask(*asked(who)) for who in (MANAGER, WORKER)] == [(True, ("r0",)), (False, ("r1",))]


def mixed(book: Rulebook) -> None:
    """Have every part of several questions accepted, and both ways seen."""
    late: Context = {**CONTEXT, "tags": frozenset(), "open": True, "late": True}
    hold(book, [asked(), asked(WORKER, resource=POLICE, context=late), asked(context={**CONTEXT, "purpose": PROTECT})])
    hold(book, [asked(action="take", context={"purpose": PROTECT, "tags": True})])


def test_a_question_of_accepted_parts_is_asked_the_short_way_though_they_never_stood_together() -> None:
    book = rulebook(MAY)
    mixed(book)
    new = asked(WORKER, context={**CONTEXT, "purpose": PROTECT, "open": True})
    assert book.ask_short(*new) == book.ask_whole(*new) == (True, ("r0",))


@pytest.mark.parametrize(
    "refused",
    [
        asked(action="take"),
        asked(action="any"),
        asked(action="Look"),
        asked(Uid("Officer", "nobody")),
        asked(SCHOOL),
        asked(resource=MANAGER),
        asked(resource=Uid("Record", "diary")),
        asked(context={}),
        asked(context={"purpose": PLAN, "tags": frozenset({PLAN})}),
        asked(context={**CONTEXT, "surprise": True}),
        asked(context={**CONTEXT, "purpose": MANAGER}),
        asked(context={**CONTEXT, "purpose": True}),
        asked(context={**CONTEXT, "purpose": "plan"}),
        asked(context={**CONTEXT, "purpose": frozenset({PLAN})}),
        asked(context={**CONTEXT, "tags": True}),
        asked(context={**CONTEXT, "tags": PLAN}),
        asked(context={**CONTEXT, "tags": frozenset({PLAN, MANAGER})}),
        asked(context={**CONTEXT, "open": 0}),
        asked(context={**CONTEXT, "open": 1}),
        asked(context={**CONTEXT, "open": PLAN}),
        asked(context={**CONTEXT, "late": frozenset()}),
        asked(context={**CONTEXT, "day": "yesterday"}),
        asked(context={**CONTEXT, "age": 2**80}),
    ],
)
def test_a_question_the_schema_refuses_is_refused_by_whatever_was_accepted_before(refused: Question) -> None:
    book = rulebook(MAY)
    mixed(book)
    for _ in range(3):
        assert book.ask_short(*refused) is None
        assert book.ask_whole(*refused) is None


def test_a_value_whose_reading_depends_on_the_schema_is_always_asked_the_whole_way() -> None:
    book = rulebook(MAY, "forbid (principal, action, resource) when { context has age && context.age == 5 };")
    for extra in ({"age": 4}, {"age": 5}, {"day": "2026-11-22"}):
        assert hold(book, [asked(context={**CONTEXT, **extra})]) == 0


def test_the_short_way_does_not_look_at_what_no_rule_that_can_apply_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    never = 'forbid (principal == Officer::"worker", action, resource) when { context.open };'
    book = rulebook('permit (principal, action, resource) when { context.purpose == Purpose::"plan" };', never)
    hold(book, [asked()])
    seen: list[tuple[object, ...]] = []

    def recording(*given: object) -> cedarpy.AuthzResult:
        seen.append(given)
        return is_authorized(*given)  # type: ignore[arg-type]

    is_authorized = cedarpy.is_authorized
    monkeypatch.setattr(cedarpy, "is_authorized", recording)
    assert book.ask(*asked()) == (True, ("r0",))
    ((request, policies, _),) = seen
    assert isinstance(request, dict)
    assert isinstance(policies, cedarpy.PolicySet)
    assert (len(policies), '"purpose"' in request["context"], "open" in request["context"]) == (1, True, False)


def test_a_short_way_that_fails_is_gone_the_whole_way(monkeypatch: pytest.MonkeyPatch) -> None:
    book = rulebook(MAY)
    hold(book, [asked()])
    nothing = module._Choice(
        cedarpy.PolicySet.from_str(f"permit (principal, action, resource) when {{ {ALWAYS_FAILS} }};"), None
    )
    monkeypatch.setattr(book, "_choice", lambda _: nothing)
    assert book.ask(*asked()) == (True, ("r0",))


def test_memory_that_is_full_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORDS_KEPT", 4)
    monkeypatch.setattr(module, "RULES_KEPT", 3)
    never = 'forbid (principal == Officer::"worker", action, resource) when { context.open };'
    book = rulebook(MAY, never, 'permit (principal, action, resource) when { context.purpose == Purpose::"plan" };')
    hold(
        book,
        [
            asked(who, resource=what, context={**CONTEXT, "purpose": why, "open": is_open})
            for who in (MANAGER, WORKER)
            for what in (SCHOOL, POLICE)
            for why in (PLAN, PROTECT)
            for is_open in (True, False)
        ],
    )


@pytest.mark.parametrize("name", ["england", "wales"])
def test_a_pack_that_comes_with_the_program_answers_alike_both_ways(name: str) -> None:
    policy = load_pack(name).cedar
    for book in (policy._rulebook, policy._unlifted):
        assert hold(book, questions_to_a_hub(120)) > 60


@pytest.mark.parametrize("count", [50, 200])
def test_fifty_and_two_hundred_rules_answer_alike_both_ways(count: int) -> None:
    assert hold(england_rules(count)._rulebook, questions_to_a_hub(40)) > 5


def test_an_agencys_rules_answer_alike_both_ways() -> None:
    gatekeeper, drawn = load_gatekeeper(None), random.Random(5)
    words = {"Purpose": "purpose", "Stage": "stage", "Rag": "rag", "SubjectRole": "subject_role"}

    def word(kind: str) -> Uid:
        return Uid(kind, drawn.choice(list(ENTITY_TYPES[kind])).value)

    def labels() -> frozenset[Uid]:
        return frozenset(Uid("Label", one.value) for one in drawn.sample(list(Label), drawn.randrange(3)))

    asks = [
        asked(
            word("OfficerRole"),
            drawn.choice(("content", "existence", "take_away")),
            word("Category"),
            {
                **{name: word(kind) for kind, name in words.items()},
                "consent": Uid("ConsentState", word("Consent").id),
                **{name: labels() for name in ("person", "anybody", "record")},
                "conflict": drawn.random() < 0.2,
                "unlisted": drawn.random() < 0.2,
            },
        )
        for _ in range(150)
    ]
    for policy in (gatekeeper._policy, gatekeeper._read):
        assert hold(policy._rulebook, asks) > 80


def test_questions_the_short_way_are_the_same_whatever_the_order_they_are_asked_in() -> None:
    asks = questions_to_a_hub(50)
    one, other = england_rules(50)._rulebook, england_rules(50)._rulebook
    first: dict[Question, Answer | None] = {ask: one.ask(*ask) for ask in asks * 3}
    assert {ask: other.ask(*ask) for ask in reversed(asks * 3)} == first
