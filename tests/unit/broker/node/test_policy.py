"""The policy engine: closed whenever it fails, and a pack that does not hold is not loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cedarpy
import pytest

from broker.node.policy import (
    NO_PERMIT,
    POLICY_ERROR,
    Context,
    Policy,
    PolicyInvalid,
    Uid,
    Verdict,
    load_policy,
    make_policy,
)
from schemas.failures import Disposition
from schemas.vocabulary import Category, Mode

SCHEMA = """
entity Officer enum ["manager", "worker"];
entity Record enum ["school", "police"];
entity Purpose enum ["protect", "plan"];
action look appliesTo {
    principal: [Officer], resource: [Record],
    context: { purpose: Purpose, tags: Set<Purpose>, age?: Long, urgent?: Bool }
};
"""
PERMIT = """
@id("may-look")
@sentence("Anybody may look to protect.")
permit (principal, action, resource) when { context.purpose == Purpose::"protect" };
"""
OVERFLOWING = """
@id("never-old")
@sentence("Nobody may look at the old.")
forbid (principal, action, resource) when { context has age && context.age + 9223372036854775807 > 0 };
"""
MANAGER, SCHOOL = Uid("Officer", "manager"), Uid("Record", "school")
CONTEXT: Context = {"purpose": Uid("Purpose", "protect"), "tags": frozenset({Uid("Purpose", "plan")})}


def policy(*texts: str) -> Policy:
    return make_policy(("s.cedarschema", SCHEMA), {f"{at}.cedar": text for at, text in enumerate(texts)})


def named(*, annotations: str = "", body: str = "permit (principal, action, resource);") -> str:
    return f'@id("a-rule") @sentence("It may be.") {annotations}\n{body}'


def test_a_permit_is_allowed_and_names_its_rule() -> None:
    verdict = policy(PERMIT).decide(MANAGER, "look", SCHOOL, CONTEXT)
    assert (verdict.allowed, verdict.rules) == (True, ("may-look",))


def test_what_no_rule_permits_is_refused_by_default() -> None:
    verdict = policy(PERMIT).decide(MANAGER, "look", SCHOOL, {**CONTEXT, "purpose": Uid("Purpose", "plan")})
    assert (verdict.allowed, verdict.rules) == (False, (NO_PERMIT,))


def test_a_forbid_outweighs_a_permit_and_is_named() -> None:
    forbid = '@id("never") @sentence("Never.") forbid (principal == Officer::"manager", action, resource);'
    verdict = policy(PERMIT, forbid).decide(MANAGER, "look", SCHOOL, CONTEXT)
    assert (verdict.allowed, verdict.rules) == (False, ("never",))


def test_a_forbid_whose_condition_fails_does_not_let_the_permit_through() -> None:
    context = {**CONTEXT, "age": 5}
    # The trap: Cedar itself skips the forbid and says Allow.
    raw = {
        "principal": 'Officer::"manager"',
        "action": 'Action::"look"',
        "resource": 'Record::"school"',
        "context": {"purpose": {"__entity": {"type": "Purpose", "id": "protect"}}, "tags": [], "age": 5},
    }
    assert cedarpy.is_authorized(raw, PERMIT + OVERFLOWING, [], SCHEMA).allowed
    verdict = policy(PERMIT, OVERFLOWING).decide(MANAGER, "look", SCHOOL, context)
    assert (verdict.allowed, verdict.rules) == (False, (POLICY_ERROR,))


def test_a_forbid_that_reads_a_missing_attribute_does_not_let_the_permit_through() -> None:
    careless = '@id("no") @sentence("No.") forbid (principal, action, resource) when { context.age > 1 };'
    raw = {
        "principal": 'Officer::"manager"',
        "action": 'Action::"look"',
        "resource": 'Record::"school"',
        "context": {"purpose": {"__entity": {"type": "Purpose", "id": "protect"}}},
    }
    assert cedarpy.is_authorized(raw, PERMIT + careless, []).allowed  # the trap, without a schema
    with pytest.raises(PolicyInvalid, match="policy no"):
        policy(PERMIT, careless)


@pytest.mark.parametrize(
    ("principal", "action", "resource", "context"),
    [
        (Uid("Officer", "nobody"), "look", SCHOOL, CONTEXT),
        (Uid("Nothing", "manager"), "look", SCHOOL, CONTEXT),
        (MANAGER, "take", SCHOOL, CONTEXT),
        (MANAGER, "look", Uid("Record", "diary"), CONTEXT),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "purpose": Uid("Purpose", "curiosity")}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "purpose": "protect"}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "tags": frozenset({Uid("Purpose", "curiosity")})}),
        (MANAGER, "look", SCHOOL, {"purpose": Uid("Purpose", "protect")}),
        (MANAGER, "look", SCHOOL, {}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "surprise": True}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "age": "five"}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "age": 2**80}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "age": [5]}),
        (MANAGER, "look", None, CONTEXT),
        (None, None, None, None),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_every_time(
    principal: Uid, action: str, resource: Uid, context: Context
) -> None:
    asked = policy(PERMIT)
    for _ in range(2):  # the second time it could come from memory
        verdict = asked.decide(principal, action, resource, context)
        assert (verdict.allowed, verdict.rules) == (False, (POLICY_ERROR,))


def test_an_answer_remembered_for_a_truth_value_is_not_given_for_a_number() -> None:
    asked = policy(PERMIT)
    assert asked.decide(MANAGER, "look", SCHOOL, {**CONTEXT, "urgent": True}).allowed
    assert asked.decide(MANAGER, "look", SCHOOL, {**CONTEXT, "urgent": 1}).rules == (POLICY_ERROR,)


def test_an_engine_that_breaks_refuses_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = policy(PERMIT)
    with monkeypatch.context() as broken:
        broken.setattr(cedarpy, "is_authorized", lambda *_: 1 / 0)
        assert asked.decide(MANAGER, "look", SCHOOL, CONTEXT).rules == (POLICY_ERROR,)
    assert asked.decide(MANAGER, "look", SCHOOL, CONTEXT).allowed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("permit (principal", "0.cedar"),
        ("permit (principal, action, resource);", "policy number 1 has no usable @id"),
        ('@id("policy-error") @sentence("x") permit (principal, action, resource);', "no usable @id"),
        ('@id("a b") @sentence("x") permit (principal, action, resource);', "no usable @id"),
        ('\n@id("a-rule")\npermit (principal, action, resource);', "0.cedar, line 2, policy a-rule: no @sentence"),
        (named(annotations='@remvoe("notes")'), "unknown annotation @remvoe"),
        (named(annotations='@remove("nots")'), "'nots', which is neither a field nor a marker"),
        (named(annotations='@remove("marked:secret")'), "neither a field nor a marker"),
        (named(annotations='@keep("notes")', body="forbid (principal, action, resource);"), "a forbid neither keeps"),
        (named(body="permit (principal == ?principal, action, resource);"), "templates are not used"),
        (named(body='permit (principal, action, resource) when { context.purpos == Purpose::"plan" };'), "purpos"),
        (named(body='permit (principal, action, resource) when { context.purpose == Purpose::"play" };'), "play"),
        (named(body='permit (principal, action == Action::"lok", resource);'), "lok"),
        ("", "there is no policy"),
    ],
)
def test_a_pack_that_does_not_hold_is_refused_and_says_where(text: str, says: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        policy(text)
    assert says in refused.value.detail
    assert refused.value.disposition is Disposition.HALT


def test_two_policies_of_one_id_are_refused_even_in_two_files() -> None:
    with pytest.raises(PolicyInvalid, match=r"1\.cedar, line 2, policy may-look: 0\.cedar has that id too"):
        policy(PERMIT, PERMIT)


def test_a_schema_that_does_not_parse_is_refused_with_its_name() -> None:
    with pytest.raises(PolicyInvalid, match=r"s\.cedarschema"):
        make_policy(("s.cedarschema", "entity"), {"a.cedar": PERMIT})


def test_a_directory_without_policies_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.cedarschema").write_text(SCHEMA)
    with pytest.raises(PolicyInvalid, match="there is no policy"):
        load_policy(tmp_path / "s.cedarschema", tmp_path)
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        load_policy(tmp_path / "s.cedarschema", tmp_path / "nowhere")


def test_the_digest_is_that_of_the_lines_sha256sum_writes(tmp_path: Path) -> None:
    files = {"s.cedarschema": SCHEMA, "a.cedar": PERMIT, "b.cedar": OVERFLOWING}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "notes.txt").write_text("not a policy")
    lines = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in files.items())
    loaded = load_policy(tmp_path / "s.cedarschema", tmp_path)
    assert loaded.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_the_digest_changes_with_any_byte_of_any_file() -> None:
    assert len({policy(PERMIT).digest, policy(PERMIT + " ").digest, policy(PERMIT, OVERFLOWING).digest}) == 3


def test_a_permit_leaves_what_it_keeps_less_what_it_removes() -> None:
    rules = policy(
        '@id("whole") @sentence("x") permit (principal, action, resource);',
        '@id("less") @sentence("x") @remove("notes,marked:free_text") permit (principal, action, resource);',
        '@id("only") @sentence("x") @keep("code, startDate") @remove("code") permit (principal, action, resource);',
    ).rules
    category, mode = Category.PROBATION_REGISTER, Mode.CONTENT
    assert rules["whole"].fields_left(category, mode) == {"code", "description", "notes", "reviewDate", "startDate"}
    assert rules["less"].fields_left(category, mode) == {"code", "description", "reviewDate", "startDate"}
    assert rules["only"].fields_left(category, mode) == {"startDate"}


def test_a_field_is_left_if_any_determining_permit_leaves_it() -> None:
    asked = policy(
        '@id("a") @sentence("x") @keep("code") permit (principal, action, resource);',
        '@id("b") @sentence("x") @keep("notes") permit (principal, action, resource);',
        '@id("c") @sentence("x") permit (principal == Officer::"worker", action, resource);',
    )
    verdict = asked.decide(MANAGER, "look", SCHOOL, CONTEXT)
    assert verdict.rules == ("a", "b")
    assert asked.fields_left(verdict, Category.PROBATION_REGISTER, Mode.CONTENT) == {"code", "notes"}


def test_a_refusal_leaves_no_field_at_all() -> None:
    asked = policy(PERMIT)
    verdict = asked.decide(MANAGER, "look", SCHOOL, {})
    assert asked.fields_left(verdict, Category.PERSON_IDENTITY, Mode.CONTENT) == frozenset()


LIFTABLE = """
@id("not-now")
@sentence("Not while it is planned.")
@liftable("break-glass")
forbid (principal, action, resource) when { context.tags.contains(Purpose::"plan") };
"""
FIRM = """
@id("never-police")
@sentence("Never of the police.")
forbid (principal, action, resource == Record::"police");
"""
POLICE = Uid("Record", "police")


def test_a_broken_glass_lifts_the_forbids_that_are_marked_and_says_which() -> None:
    pack = policy(PERMIT, LIFTABLE, FIRM)
    assert pack.decide(MANAGER, "look", SCHOOL, CONTEXT) == Verdict(False, ("not-now",))
    lifted = pack.decide(MANAGER, "look", SCHOOL, CONTEXT, is_glass_broken=True)
    assert lifted == Verdict(True, ("may-look",), ("not-now",))


def test_a_broken_glass_lifts_nothing_where_something_else_stands_in_the_way() -> None:
    pack = policy(PERMIT, LIFTABLE, FIRM)
    refused = pack.decide(MANAGER, "look", POLICE, CONTEXT, is_glass_broken=True)
    assert refused == Verdict(False, ("never-police", "not-now"))
    plan: Context = {**CONTEXT, "purpose": Uid("Purpose", "plan")}
    assert not pack.decide(MANAGER, "look", SCHOOL, plan, is_glass_broken=True).allowed


def test_what_was_allowed_anyway_was_not_lifted_and_an_answer_for_one_is_not_given_for_the_other() -> None:
    pack = policy(PERMIT, LIFTABLE)
    plain: Context = {**CONTEXT, "tags": frozenset()}
    for is_broken in (True, False, True):
        assert pack.decide(MANAGER, "look", SCHOOL, plain, is_glass_broken=is_broken) == Verdict(True, ("may-look",))
        assert pack.decide(MANAGER, "look", SCHOOL, CONTEXT, is_glass_broken=is_broken).allowed is is_broken


def test_a_rule_that_fails_refuses_whoever_broke_the_glass() -> None:
    pack = policy(PERMIT, LIFTABLE, OVERFLOWING)
    assert pack.decide(MANAGER, "look", SCHOOL, {**CONTEXT, "age": 2}, is_glass_broken=True).rules == (POLICY_ERROR,)


@pytest.mark.parametrize(
    ("annotations", "body"),
    [
        ('@liftable("break-glass")', "permit (principal, action, resource);"),
        ('@liftable("anything")', "forbid (principal, action, resource);"),
        ("@liftable", "forbid (principal, action, resource);"),
    ],
)
def test_only_a_forbid_is_liftable_and_only_by_a_broken_glass(annotations: str, body: str) -> None:
    with pytest.raises(PolicyInvalid, match="only a forbid is liftable"):
        policy(named(annotations=annotations, body=body))
