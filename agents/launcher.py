"""The `agent` command: finds out which agency's agent is meant and hands over to that agency's own program.

`agent init KIND ...` names the kind; every other command reads it from the home's `config.toml`. Knows the names of the
agencies' packages and imports none of them: what one agency needs is not loaded for another.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NoReturn

from agents.runtime.home.kind import kind_in
from schemas.failures import Failure
from schemas.vocabulary import AgencyKind

_OWN: Final = {AgencyKind.POLICE, AgencyKind.HEALTH, AgencyKind.EDUCATION, AgencyKind.PROBATION}
_USAGE: Final = f"""usage: agent init KIND --home DIR --hub HUB --agency NAME --name TEXT --ig-lead-key FILE
       agent COMMAND --home DIR ...      what a COMMAND takes: agent COMMAND --help

COMMAND is one of enrol, pin, doctor, run, try, status, log (show, verify, open), keys (list, rotate, renew, rewrap),
alerts (list, show, acknowledge), policy (list, show), review (list, show, release ...), backup, restore, leaf.
KIND is one of {", ".join(AgencyKind)}."""


def main() -> NoReturn:
    """Run the agency's own program with the same arguments, in place of this one."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE)
        sys.exit(0 if arguments else 2)
    try:
        kind, rest = _kind_and_rest(arguments)
    except Failure as failure:
        print(f"error: {failure.detail} [{failure.code}]", file=sys.stderr)
        sys.exit(1)
    module = package_of(kind)
    if find_spec(module) is None:
        print(f"error: this installation has no agent for {kind.value} agencies [not_installed]", file=sys.stderr)
        sys.exit(1)
    # By the same interpreter and with no shell between: the arguments arrive as they were typed.
    os.execv(sys.executable, [sys.executable, "-m", module, *rest])  # noqa: S606


def package_of(kind: AgencyKind) -> str:
    """The package that is the program of that kind of agency; those without one of their own share `partner`."""
    return f"agents.{kind.value if kind in _OWN else 'partner'}"


def _kind_and_rest(arguments: Sequence[str]) -> tuple[AgencyKind, list[str]]:
    if arguments[0] != "init":
        return _kind_of(arguments), list(arguments)
    try:
        kind = AgencyKind(arguments[1])
    except (IndexError, ValueError):
        print(_USAGE, file=sys.stderr)
        sys.exit(2)
    partner = ["--kind", kind.value] if kind not in _OWN else []
    return kind, ["init", *partner, *arguments[2:]]


def _kind_of(arguments: Sequence[str]) -> AgencyKind:
    configured = _home_of(arguments) / "config.toml"
    if configured.exists():
        return kind_in(configured)
    if arguments[0] == "restore":
        # The home is empty: what is put into it says whose it is. A second copy has its small files one level down.
        places = [Path(one) / below for one in arguments[1:] for below in ("config.toml", "files/config.toml")]
        if (backed_up := next(filter(Path.exists, places), None)) is not None:
            return kind_in(backed_up)
    if {"-h", "--help"} & set(arguments):
        # The commands are the same for every agency; any of the programs that are installed can explain them.
        return next(kind for kind in AgencyKind if find_spec(package_of(kind)) is not None)
    return kind_in(configured)


def _home_of(arguments: Sequence[str]) -> Path:
    for at, argument in enumerate(arguments):
        if argument == "--home" and at + 1 < len(arguments):
            return Path(arguments[at + 1])
        if argument.startswith("--home="):
            return Path(argument.removeprefix("--home="))
    return Path(".")
