"""`broker policy`: what it says of packs, and how it explains a decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from broker.cli.policy import policy
from broker.policy.packs import load_pack, names
from tests.unit.broker.policy.own import RULE, write_own_pack

SCREENING = ("--stage", "screening", "--purpose", "screening", "--basis", "ca2004-11")


def run(*words: str) -> Result:
    return CliRunner().invoke(policy, words)


def told(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_every_pack_that_ships_is_listed_and_holds() -> None:
    assert [one["name"] for one in told("list")["packs"]] == list(names())
    checked = run("check")
    assert checked.exit_code == 0
    for name in names():
        assert f"{name}: holds" in checked.output
        assert load_pack(name).digest in checked.output


def test_a_pack_that_does_not_hold_is_refused_with_file_line_and_reason(tmp_path: Path) -> None:
    write_own_pack(tmp_path, {"own.cedar": RULE.replace("OfficerRole", "OficerRole")})
    refused = run("check", str(tmp_path))
    assert refused.exit_code == 1
    assert "own.cedar, line 1, policy own" in refused.stderr
    assert "[policy_invalid]" in refused.stderr


def test_a_pack_without_its_expected_decisions_or_that_is_nowhere_is_refused_by_name(tmp_path: Path) -> None:
    write_own_pack(tmp_path, {"expected.toml": None})
    refused = run("check", str(tmp_path))
    assert (refused.exit_code, "expected.toml is missing in the folder" in refused.stderr) == (1, True)
    nowhere = run("check", str(tmp_path / "engalnd"))
    assert "engalnd cannot be read" in nowhere.stderr
    assert "one of england, wales" in nowhere.stderr


def test_a_pack_is_copied_to_be_changed_and_never_over_another(tmp_path: Path) -> None:
    copied = run("copy", "england", str(tmp_path / "ours"))
    assert copied.exit_code == 0
    assert run("check", str(tmp_path / "ours")).exit_code == 0
    again = run("copy", "england", str(tmp_path / "ours"))
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)


def test_the_table_has_every_rule_and_every_agreement() -> None:
    table = run("table", "england").output
    pack = load_pack("england")
    assert all(rule in table for rule in pack.cedar.rules)
    assert all(one.id in table for one in pack.agreements)


def test_a_refusal_is_explained_by_rules_and_sentences_and_by_what_would_have_to_differ() -> None:
    said = run("explain", "--asks", "csc.cp_plan", "--rag", "green", *SCREENING).output
    assert "refused" in said
    assert "R4-below-threshold-content: Before an enquiry is opened" in said
    assert "rating amber or red" in said


def test_a_basis_of_another_nation_is_explained_with_its_dates() -> None:
    said = run("explain", "--asks", "police.da", "--basis", "sswba-130", "--on", "2026-11-02").output
    assert "sswba-130: in force from 2016-04-06 until further notice" in said
    (decision,) = told("explain", "--asks", "police.da", "--basis", "sswba-130", "--on", "2026-11-02")["decisions"]
    assert decision["reasons"] == [
        {"rule": "R2-basis-of-another-nation", "basis": "sswba-130", "in_force_from": "2016-04-06"}
    ]


def test_what_is_permitted_is_explained_with_the_fields_taken_away() -> None:
    (decision,) = told("explain", "--asks", "police.da", "--on", "2026-11-02")["decisions"]
    assert decision["permitted"]
    assert decision["takes_away"] == ["children", "safe_contact"]


def test_a_hubs_own_agreement_decides_where_its_pack_is_named(tmp_path: Path) -> None:
    write_own_pack(tmp_path)
    words = ("explain", "--pack", str(tmp_path), "--asks", "police.missing", "--on")
    assert told(*words, "2026-12-31")["decisions"][0]["permitted"]
    assert told(*words, "2027-01-01")["decisions"][0]["reasons"] == [
        {
            "rule": "R33-agreement-not-in-force",
            "agreement": "isa-2026",
            "in_force_from": "2026-01-01",
            "in_force_until": "2026-12-31",
        }
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("explain",), "say what is asked"),
        (("explain", "ab" * 16), "say --home"),
        (("explain", "--asks", "police.gossip"), "is not one of"),
    ],
)
def test_a_question_that_is_none_is_refused_with_what_to_say(words: tuple[str, ...], says: str) -> None:
    refused = CliRunner(env={"NEEDTOKNOW_HUB": ""}).invoke(policy, words)
    assert refused.exit_code == 2
    assert says in refused.output
