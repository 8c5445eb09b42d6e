"""A pack that does not hold is not loaded, and whoever wrote it is told where."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from broker.node.policy import PolicyInvalid, load_policy, make_policy
from schemas.failures import Disposition
from tests.unit.broker.node.policy.small import OVERFLOWING, PERMIT, SCHEMA, named, policy


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
