"""The threat model names what exists, leaves out nothing that is tried, and says of each threat what remains."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from tests.architecture.threats import LABELS, LISTS, Threat, listed, renewed, text, threats
from tests.architecture.tree import ROOT, tracked

THREATS = threats()
each_threat = pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat.number)


def functions(path: str) -> set[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@each_threat
def test_a_threat_says_everything_that_is_to_be_said_of_it(threat: Threat) -> None:
    assert threat.labels == LABELS
    assert all(threat.fields.values())


@each_threat
def test_a_threat_names_tests_that_exist(threat: Threat) -> None:
    assert threat.tests
    missing = [f"{path}::{name}" for path, name in threat.tests if not (ROOT / path).is_file()]
    assert not missing
    unknown = [f"{path}::{name}" for path, name in threat.tests if name and name not in functions(path)]
    assert not unknown


@each_threat
def test_a_threat_has_attackers_boundaries_entry_points_and_assets_that_are_listed(threat: Threat) -> None:
    assert threat.references <= set(listed())
    assert {one[0] for one in threat.references} == set(LISTS)


def test_threats_are_numbered_once_each_and_in_order() -> None:
    assert [threat.number for threat in THREATS] == [f"T{number:02}" for number in range(1, len(THREATS) + 1)]


def test_every_list_is_numbered_once_each_and_in_order() -> None:
    counted = Counter(one[0] for one in listed())
    assert listed() == [f"{letter}{number}" for letter in LISTS for number in range(1, counted[letter] + 1)]


def test_everything_listed_is_threatened_by_something() -> None:
    used = {one for threat in THREATS for one in threat.references}
    assert not [one for one in listed() if one not in used]


def test_every_file_of_the_adversary_is_named_by_the_threat_of_its_number() -> None:
    tried = {threat.number: {path for path, _ in threat.tests} for threat in THREATS}
    files = [str(path) for path in tracked() if re.fullmatch(r"tests/adversary/test_.*\.py", str(path))]
    assert len(files) > 10
    lost = []
    for path in files:
        number = re.match(r"tests/adversary/test_t(\d\d)_", path)
        if number is None or path not in tried.get(f"T{number[1]}", ()):
            lost.append(path)
    assert not lost


def test_it_is_as_thorough_as_the_best_of_its_kind() -> None:
    """X-Road's of August 2026 has 11 boundaries, 12 entry points, 19 assets and 10 threats, each with its tests."""
    counted = Counter(one[0] for one in listed())
    assert counted["B"] >= 11
    assert counted["E"] >= 12
    assert counted["A"] >= 19
    assert len(THREATS) >= 10


def test_the_index_is_current() -> None:
    assert renewed() == text(), "python -m tests.architecture.threats"
