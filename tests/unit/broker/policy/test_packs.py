"""How packs are found, gathered and refused: always with the file, the place and the reason."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import broker.policy
from broker.node.policy import PolicyInvalid
from broker.policy.pack import Pack
from broker.policy.packs import MAX_FILES, folder_of, gather, load, load_pack, names
from schemas.messages.glass import GlassTerms
from schemas.vocabulary import LawfulBasis, Nation
from tests.unit.broker.policy.own import AGREEMENTS, EXPECTED, FILES, GLASS, MANIFEST, RULE, write_own_pack

ROOT = Path(broker.policy.__file__).parent
GATHERED = gather(folder_of("england"))


def load_own(folder: Path) -> Pack:
    return load(gather(folder))


def test_the_pack_for_england_comes_with_the_program() -> None:
    assert "england" in names()
    assert load_pack("england").cedar.rules
    assert load_pack("england").nation is Nation.ENGLAND


@pytest.mark.parametrize("name", ["atlantis", "", "..", "__pycache__"])
def test_a_name_that_is_no_pack_is_refused_and_the_packs_are_named(name: str) -> None:
    with pytest.raises(PolicyInvalid, match="there are england, wales"):
        load_pack(name)


def test_a_pack_of_the_hubs_own_is_what_its_files_say(tmp_path: Path) -> None:
    own = load_own(write_own_pack(tmp_path))
    assert (own.name, own.title, own.nation, own.version) == ("own", "Our own", Nation.ENGLAND, 3)
    assert list(own.cedar.rules) == ["own"]
    assert [one.id for one in own.agreements] == ["isa-2026"]
    assert own.sentence("own") == "A social worker may ask."
    assert own.sentence("R33-no-agreement")
    assert own.sentence("no-such-rule") == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pack.toml": None}, "pack.toml is missing"),
        ({"pack.toml": MANIFEST.replace('"own.cedar", ', "")}, "line 5: own.cedar is in the folder"),
        ({"stray.cedar": RULE}, "stray.cedar is in the folder, and files does not name it"),
        ({"own.cedar": None}, "line 5: own.cedar is missing in the folder"),
        ({"expected.toml": None}, "expected.toml is missing in the folder"),
        ({"agreements.toml": None}, "agreements.toml is missing in the folder"),
        ({"pack.toml": MANIFEST.replace('"agreements.toml", ', "")}, "agreements.toml is missing"),
        ({"pack.toml": MANIFEST.replace('"own.cedar"', '"own.cedar", "own.cedar"')}, "names one file twice"),
        ({"pack.toml": MANIFEST.replace('"england"', '"atlantis"')}, "pack.toml, line 3: nation"),
        ({"pack.toml": MANIFEST + "verzion = 4\n"}, "line 6: verzion is not a key of this file"),
        ({"pack.toml": MANIFEST.replace("version = 3\n", "")}, "version is missing"),
        ({"pack.toml": MANIFEST.replace("own.cedar", "../own.cedar")}, "line 5: files.0"),
        ({"pack.toml": "name = "}, "pack.toml: not TOML"),
        ({"pack.toml": MANIFEST + "[commencement]\nca1989-47 = 2026-01-01\n"}, "not a hub's to set"),
        ({"pack.toml": MANIFEST + "[commencement]\nca1066-1 = 2026-01-01\n"}, "line 7: commencement.ca1066-1"),
        ({"own.cedar": RULE.replace("social_worker", "astronaut")}, "astronaut"),
        ({"own.cedar": RULE.replace("resource)", 'resource) when { context.purpose == Purpose::"gossip" }')}, "gossip"),
        ({"own.cedar": RULE + RULE}, "own.cedar, line 3, policy own: own.cedar has that id too"),
        ({"own.cedar": RULE.replace('"own"', '"R33-no-agreement"')}, "is the id of a rule of the program"),
        ({"own.cedar": RULE.replace(";", "")}, r"own\.cedar, line 1: "),
        ({"own.cedar": RULE + "\n" + RULE.replace("principal", "principl")}, r"own\.cedar, line 4: .*principl"),
    ],
)
def test_a_pack_that_does_not_hold_is_refused_with_file_and_reason(
    tmp_path: Path, changes: dict[str, str | None], says: str
) -> None:
    with pytest.raises(PolicyInvalid, match=says):
        load_own(write_own_pack(tmp_path, changes))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write_own_pack(tmp_path)
    for name in ("own.cedar", "pack.toml", "agreements.toml", "expected.toml"):
        kept = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"\xff\xfe" + kept)
        with pytest.raises(PolicyInvalid, match=f"{name}: not UTF-8"):
            load_own(tmp_path)
        (tmp_path / name).write_bytes(kept)


def test_a_folder_of_something_else_is_not_read(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.toml").write_text("")
    with pytest.raises(PolicyInvalid, match="at most 64"):
        gather(tmp_path)
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        gather(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["pack.toml", "own.cedar", "agreements.toml", "expected.toml"])
def test_every_file_of_a_pack_counts_for_its_digest(tmp_path: Path, name: str) -> None:
    before = gather(write_own_pack(tmp_path)).digest
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    assert gather(tmp_path).digest != before


def test_the_digest_is_what_the_page_says_a_shell_makes_of_it() -> None:
    line = (
        "{ sha256sum hub.cedarschema; cd reference; sha256sum legal-bases.toml; cd ../packs/england;"
        " sha256sum *.cedar *.toml; } | sha256sum"
    )
    made = subprocess.run(
        ["sh", "-c", line], cwd=ROOT, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert made.stdout.split()[0].decode() == load_pack("england").digest
    assert len(load_pack("england").digest) == hashlib.sha256().digest_size * 2


def test_a_basis_whose_commencement_is_left_to_a_hub_is_in_force_from_the_day_its_pack_names(tmp_path: Path) -> None:
    duty = LawfulBasis.CA2004_SHARE
    before = load_own(write_own_pack(tmp_path / "before"))
    assert not before.bases[duty].holds(Nation.ENGLAND, date(2030, 1, 1))
    dated = {"pack.toml": MANIFEST + "[commencement]\nca2004-share = 2026-09-01\n"}
    after = load_own(write_own_pack(tmp_path / "after", dated))
    assert not after.bases[duty].holds(Nation.ENGLAND, date(2026, 8, 31))
    assert after.bases[duty].holds(Nation.ENGLAND, date(2026, 9, 1))
    assert not after.bases[duty].holds(Nation.WALES, date(2026, 9, 1))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'permitted_by = ["own"]',
            'refused_by = ["own"]',
            "line 17: case 'a social worker asks': expected refused by own",
        ),
        ('refused_by = ["no-permit"]', 'refused_by = ["own"]', "found refused by no-permit"),
        ('not_by = ["own"]', 'not_by = ["no-permit"]', "no-permit decides it"),
        ('not_by = ["own"]', 'not_by = ["onw"]', "there is no rule onw"),
        (
            '"somebody else asks"',
            '"a social worker asks"',
            "line 22: another case is called 'a social worker asks' too",
        ),
        ('like = ["by-police"]', 'like = ["by-plice"]', "line 22: there is no table like.by-plice"),
        ('permitted_by = ["own"]\n', "", "needs permitted_by or refused_by"),
        ('permitted_by = ["own"]', 'permitted_by = ["own"]\nrefused_by = ["own"]', "and not both"),
        ('permitted_by = ["own"]', 'permitted_by = ["own"]\ntakes_away = ["Date"]', "expected to be taken away"),
        ('permitted_by = ["own"]', 'permitted_by = ["own"]\nleaves = ["Dates"]', "expected to be left"),
        ('permitted_by = ["own"]', 'permitted_by = ["own"]\nleaves = ["marked:secrets"]', "no marker marked:secrets"),
        ('purpose = "child_protection"', 'purpose = "gossip"', "line 5: default.purpose"),
        ('asks = "police.missing"\npermitted', 'asks = "police.misisng"\npermitted', "line 19: case.0.asks"),
        ("allocated = false", "allocated = 0", "default.allocated"),
        ("on = 2026-11-02", "on = 2026-11-02T10:00:00Z", "default.on"),
    ],
)
def test_a_pack_that_fails_its_own_expected_decisions_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in EXPECTED
    with pytest.raises(PolicyInvalid, match=says):
        load_own(write_own_pack(tmp_path, {"expected.toml": EXPECTED.replace(old, new)}))


def test_a_rule_that_decides_no_expected_case_is_refused_with_its_line(tmp_path: Path) -> None:
    never = (
        '\n@id("never") @sentence("x")\nforbid (principal, action, resource)'
        " when { context.allocated && !context.allocated };\n"
    )
    with pytest.raises(PolicyInvalid, match=r"own\.cedar, line 4, policy never: it decides no case of expected\.toml"):
        load_own(write_own_pack(tmp_path, {"own.cedar": RULE + never}))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "valid_until = 2026-12-31",
            "valid_until = 2025-12-31",
            "line 1: agreement isa-2026: it ends before it begins",
        ),
        ("valid_from = 2026-01-01\n", "", "agreement.0.valid_from is missing"),
        ('kinds = ["police"]\nagencies = ["anytown-housing"]\n', "", "nobody has signed it"),
        ('purposes = ["child_protection"]', 'purposes = ["gossip"]', "line 7: agreement.0.purposes.0"),
        ('conditions = ["ukgdpr-6-1-e"]', 'conditions = ["ca1989-47"]', "is a power or duty"),
        ('["police"]', '["polis"]', "line 5: agreement.0.kinds.0"),
        (AGREEMENTS, AGREEMENTS + AGREEMENTS, "line 12: agreement isa-2026: another has that id too"),
    ],
)
def test_an_agreement_that_does_not_hold_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in AGREEMENTS
    with pytest.raises(PolicyInvalid, match=says):
        load_own(write_own_pack(tmp_path, {"agreements.toml": AGREEMENTS.replace(old, new)}))


def test_the_shipped_packs_name_every_file_they_have() -> None:
    for name in names():
        assert gather(folder_of(name)).files.keys() >= {"pack.toml", "agreements.toml", "expected.toml"}


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(FILES)), data=st.data(), put=st.text(max_size=20) | st.just("[" * 5_000))
def test_a_pack_with_anything_written_into_it_loads_or_is_refused_by_name(
    name: str, data: st.DataObject, put: str
) -> None:
    text = FILES[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    files = {**FILES, name: text[:start] + put + text[end:]}
    changed = replace(GATHERED, files={each: said.encode("utf-8", "replace") for each, said in files.items()})
    try:
        load(changed)
        said = name
    except PolicyInvalid as refused:
        said = str(refused)
    assert any(each in said for each in (*FILES, "there is no policy"))


@pytest.mark.parametrize(
    ("number", "where"), [("R18", "id"), ("R19", "source"), ("R21", "source"), ("R18", "source"), ("R21", "id")]
)
def test_a_rule_that_statute_closes_cannot_be_marked_to_be_lifted(tmp_path: Path, number: str, where: str) -> None:
    rule_id, source = (f"{number}-never", "ours") if where == "id" else ("never", f"DOMAIN {number}")
    never = f'@id("{rule_id}") @sentence("Never.") @source("{source}") @liftable("break-glass")\n'
    text = f'{RULE}{never}forbid (principal, action, resource == Category::"csc.adoption");\n'
    with pytest.raises(PolicyInvalid, match=rf"own.cedar, line 3, policy {rule_id}: {number} is never lifted"):
        load_own(write_own_pack(tmp_path, {"own.cedar": text}))


GREEN = (
    '@id("green") @sentence("Not when Green.") @source("ours") @liftable("break-glass")\n'
    """
forbid (principal, action, resource) when { context.rag == Rag::"green" };
"""
)
GREEN_CASES = (
    EXPECTED
    + """
[[case]]
id = "Green"
asks = "police.missing"
rag = "green"
refused_by = ["green"]

[[case]]
id = "Green, and the glass was broken"
asks = "police.missing"
rag = "green"
break_glass = true
lifts = ["green"]
permitted_by = ["own"]
"""
)


def test_a_hubs_own_rule_may_be_lifted_and_its_expected_decisions_say_so(tmp_path: Path) -> None:
    files = {"own.cedar": RULE + GREEN, "expected.toml": GREEN_CASES, "agreements.toml": AGREEMENTS + GLASS}
    assert load_own(write_own_pack(tmp_path, files)).cedar.rules["green"].is_liftable


def test_a_pack_that_lifts_under_agreements_that_say_nothing_of_a_broken_glass_is_refused(tmp_path: Path) -> None:
    files = {"own.cedar": RULE + GREEN, "expected.toml": GREEN_CASES}
    with pytest.raises(PolicyInvalid, match="found refused by R31-break-glass-not-agreed"):
        load_own(write_own_pack(tmp_path, files))


def test_agreements_say_for_how_long_a_glass_is_broken_and_when_its_review_is_closed(tmp_path: Path) -> None:
    agreed = load_own(write_own_pack(tmp_path / "with", {"agreements.toml": AGREEMENTS + GLASS}))
    assert agreed.glass == GlassTerms(at_most_hours=6, review_within_hours=48)
    assert load_own(write_own_pack(tmp_path / "without")).glass is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("at_most_hours = 6", "at_most_hours = 25", "line 14: break_glass.at_most_hours .* less than or equal to 24"),
        ("at_most_hours = 6", "at_most_hours = 0", "line 14: break_glass.at_most_hours"),
        ("at_most_hours = 6", 'at_most_hours = "6"', "line 14: break_glass.at_most_hours"),
        ("at_most_hours = 6\n", "", "break_glass.at_most_hours is missing"),
        ("review_within_hours = 48", "review_within_hours = 121", "line 15: break_glass.review_within_hours"),
        ("[break_glass]", "[break_glass]\nfor_ever = true", "break_glass.for_ever is not a key"),
    ],
)
def test_no_agreement_lets_a_glass_be_broken_for_longer_than_a_day_or_reviewed_after_five(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in GLASS
    with pytest.raises(PolicyInvalid, match=says):
        load_own(write_own_pack(tmp_path, {"agreements.toml": AGREEMENTS + GLASS.replace(old, new)}))


@pytest.mark.parametrize("hours", [24, 1])
def test_agreements_may_say_as_long_as_the_program_lets_them_and_as_short_as_an_hour(
    tmp_path: Path, hours: int
) -> None:
    text = AGREEMENTS + GLASS.replace("= 6", f"= {hours}").replace("= 48", f"= {hours * 5}")
    assert load_own(write_own_pack(tmp_path, {"agreements.toml": text})).glass == GlassTerms(hours, hours * 5)


def test_a_pack_that_lifts_what_it_does_not_expect_is_refused(tmp_path: Path) -> None:
    cases = GREEN_CASES.replace('lifts = ["green"]\n', "")
    files = {"own.cedar": RULE + GREEN, "expected.toml": cases, "agreements.toml": AGREEMENTS + GLASS}
    with pytest.raises(PolicyInvalid, match="expected to lift nothing, lifts green"):
        load_own(write_own_pack(tmp_path, files))
