"""`agent policy ...`: which versions of the hub's policy this agency holds, and what the rules of one say.

Thin: asks the running agent and prints. Imports what it needs when it is called.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from agents.runtime.terminal.explained import explained, home_option, json_option, json_text
from broker.node.command_client import CommandClient
from broker.node.home import Home
from schemas.messages.glass import GlassTerms, glass_terms

MANIFEST: Final = "pack.toml"


def policy_group() -> click.Group:
    """The group, to be added to an agent's commands."""
    group = click.Group("policy", help="The hub's policy as this agency holds it: versions, and what their rules say.")
    group.add_command(_list())
    group.add_command(_show())
    return group


def _list() -> click.Command:
    @click.command("list")
    @home_option
    @json_option
    @explained
    def list_(home: Path, as_json: bool) -> None:
        """Every version that is held: from when, and who signed it."""
        found = CommandClient(Home(home).socket_path).ask("policy-versions")
        if as_json:
            click.echo(json_text(found))
            return
        for line in _listed(found):
            click.echo(line)

    return list_


def _show() -> click.Command:
    @click.command("show")
    @home_option
    @json_option
    @click.argument("number", type=click.IntRange(min=1))
    @explained
    def show(home: Path, as_json: bool, number: int) -> None:
        """What the rules of version NUMBER say, in plain words."""
        from agents.runtime.hub_policy.rules import sentences

        found = CommandClient(Home(home).socket_path).ask("policy-version", {"number": number})
        rules = sentences(found["files"])
        if as_json:
            click.echo(json_text({**found, "rules": rules}))
            return
        click.echo(_line(found, ""))
        click.echo(f"digest {found['policy_digest']}")
        click.echo(tomllib.loads(found["files"].get(MANIFEST, "")).get("title", ""))
        click.echo(_glass_text(glass_terms({name: text.encode() for name, text in found["files"].items()})))
        for rule, said in rules.items():
            click.echo(f"{rule}\n    {said}")

    return show


def _listed(found: Mapping[str, Any]) -> Iterable[str]:
    if not found["versions"]:
        yield "no version of the hub's policy is held yet"
    for one in found["versions"]:
        number = one["number"]
        is_over = "over" if number < found["in_force"] else "to come"
        yield _line(one, "in force" if number == found["in_force"] else is_over)
    for signer in found["awaited_signers"]:
        yield f"WAITS  {signer} signed a version and is not pinned here: agent pin FILE"
    for digest in found["awaited"]:
        yield f"WAITS  requests were granted by a version that has not come: digest {digest}"
    for number in found["stated_awaited"]:
        yield f"WAITS  the hub's desk names version {number}, which has not come: ring the hub's IG lead"


def _glass_text(terms: GlassTerms | None) -> str:
    if terms is None:
        return "no glass is broken under this version"
    return f"a glass is broken for {terms.at_most_hours} hours at most, and reviewed within {terms.review_within_hours}"


def _line(one: Mapping[str, Any], standing: str) -> str:
    said = f"{one['pack']} {one['pack_version']} ({one['nation']})  signed by {one['officer']}"
    return f"{one['number']:>4}  {standing:8}  from {_when(one['valid_from'])}  {said}"


def _when(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1000))
