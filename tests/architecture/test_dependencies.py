"""Who needs which library: the lists of `pyproject.toml`, the imports of the code and the locks say the same."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import PRODUCT, ROOT, Module, modules, project

LOCKS = ROOT / "deploy/locks"

EXTRAS = {
    "schemas": (),
    "broker.node": (),
    "broker.node.bus.websocket": ("websocket",),
    "broker": ("hub",),
    "agents.runtime": ("agent",),
    "agents": ("agent", "sql", "postgres"),
    "agents.training": ("agent", "training"),
}
"""What each package may need beyond what every program has; the longest name that fits counts."""


def declared(*extras: str) -> dict[str, Requirement]:
    """The requirements of every program and of these extras, by canonical name, without our own."""
    lists = [project()["project"]["dependencies"]]
    lists += [project()["project"]["optional-dependencies"][extra] for extra in extras]
    requirements = [Requirement(text) for texts in lists for text in texts]
    return {canonicalize_name(each.name): each for each in requirements if each.name != project()["project"]["name"]}


def imported(module: Module) -> Iterator[str]:
    """Top names of what a module imports, lazily or not, that are neither the standard library's nor ours."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        tops = {name.partition(".")[0] for name in names}
        yield from tops - sys.stdlib_module_names - {*PRODUCT, "tests"}


def extras_of(module: Module) -> tuple[str, ...]:
    fitting = [name for name in EXTRAS if f"{module.name}.".startswith(f"{name}.")]
    return EXTRAS[max(fitting, key=len)]


def locked(name: str) -> dict[str, str]:
    """The lock as {canonical name: version}."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (LOCKS / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


def test_no_package_imports_a_library_that_its_extras_do_not_bring() -> None:
    providers = packages_distributions()
    strangers = [
        f"{module.path} imports {name}"
        for module in modules(*PRODUCT)
        for name in sorted(set(imported(module)))
        # `training` is installed nowhere that tests run; its libraries are imported by the names they are installed by.
        if not {canonicalize_name(each) for each in providers.get(name, (name,))} & declared(*extras_of(module)).keys()
    ]
    assert not strangers


def test_an_agent_installs_nothing_of_the_hub() -> None:
    only_hub = declared("hub").keys() - declared("agent").keys()
    assert only_hub
    assert not only_hub & locked("agent.txt").keys()


@pytest.mark.parametrize("name", ["dev.txt", "agent.txt", "hub.txt"])
def test_every_locked_version_has_hashes_and_no_address(name: str) -> None:
    text = (LOCKS / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=sha256:)", text, re.MULTILINE)
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[A-Za-z0-9._-]+==\S+( ; [^\\]+)? \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize(("name", "extras"), [("agent.txt", ["agent"]), ("hub.txt", ["hub"])])
def test_a_lock_holds_what_pyproject_asks_for(name: str, extras: list[str]) -> None:
    versions = locked(name)
    missing = [str(each) for key, each in declared(*extras).items() if versions.get(key, "") not in each.specifier]
    assert not missing, "make lock"


def test_the_lock_of_the_tests_holds_what_pyproject_asks_for() -> None:
    versions = locked("dev.txt")
    asked = list(declared(*project()["project"]["optional-dependencies"].keys() - {"training"}).values())
    asked += [Requirement(text) for text in project()["dependency-groups"]["dev"]]
    missing = [str(each) for each in asked if versions.get(canonicalize_name(each.name), "") not in each.specifier]
    assert not missing, "make lock"


@pytest.mark.parametrize("name", ["agent.txt", "hub.txt"])
def test_what_is_installed_is_what_was_tested(name: str) -> None:
    assert locked(name).items() <= locked("dev.txt").items()
