"""Sizes, names and docstrings of the modules (STYLE.md's rules that a machine can see)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from statistics import median

from tests.architecture.tree import PRODUCT, Module, modules

LONGEST_LINES = 400
MEDIAN_LINES = 150
LONGEST_FUNCTION_LINES = 60

REASON = re.compile(r"\blong because\b", re.IGNORECASE)
"""How the docstring of a module over the limit begins its reason."""

VAGUE_SUFFIXES = ("Manager", "Handler", "Processor", "Helper", "Info", "Data", "Item", "Service")
STANDARD_CLASSES = {
    "schemas.records.probation": {"CommunityOffenderManager", "PrisonOffenderManager"},  # HMPPS External API, Delius
}
"""A record is named as its field's standard names it, even where we would not."""
VAGUE_MODULES = {"utils", "util", "common", "helpers", "helper", "misc", "base"}
SHORTEST_SENTENCE_WORDS = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def test_no_module_is_over_400_lines_without_saying_why() -> None:
    long = {module.name: module.length_lines for module in modules(*PRODUCT) if module.length_lines > LONGEST_LINES}
    reasons = {module.name for module in modules(*PRODUCT) if REASON.search(ast.get_docstring(module.tree) or "")}
    assert not long.keys() - reasons, long


def test_half_of_the_modules_are_under_150_lines() -> None:
    assert median(module.length_lines for module in modules(*PRODUCT) if not module.is_package) < MEDIAN_LINES


def test_no_function_is_over_60_lines() -> None:
    long = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules(*PRODUCT)
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION_LINES
    ]
    assert not long


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(module.path)
        for module in modules(*PRODUCT, "tests")
        if not ast.get_docstring(module.tree)
        if module.text or not module.name.startswith("tests")  # an empty `__init__.py` there only mirrors a package
    ]
    assert not silent


def test_no_class_is_named_for_nothing_in_particular() -> None:
    vague = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in modules(*PRODUCT, "tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(VAGUE_SUFFIXES)
        if node.name not in STANDARD_CLASSES.get(module.name, ())
    ]
    assert not vague


def test_no_module_is_a_drawer() -> None:
    drawers = [module.name for module in modules(*PRODUCT, "tests") if VAGUE_MODULES & set(module.name.split("."))]
    assert not drawers


def test_every_name_of_a_test_is_a_sentence() -> None:
    short = [
        f"{module.path}:{function.lineno} {function.name}"
        for module in modules("tests")
        if module.path.name.startswith("test_")
        for function in functions(module)
        if function.name.startswith("test_")
        if len(function.name.removeprefix("test_").split("_")) < SHORTEST_SENTENCE_WORDS
    ]
    assert not short


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    marks = {"skip", "skipif", "xfail", "importorskip"}
    found = [
        f"{module.path}:{node.lineno} {node.attr}"
        for module in modules("tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in marks
        and ast.unparse(node.value) in {"pytest", "pytest.mark"}
    ]
    assert not found
