"""`broker policy ...`: check a policy pack, read it, and explain a decision to the hub's information governance lead.

`explain EXCHANGE_ID`, `publish` and `versions` need the running hub; the others go by a pack where it lies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from broker.cli.options import EXCHANGE_ID, NameParam
from broker.cli.output import explained, json_option, show
from broker.cli.policy_versions import publish, tell_desk, versions
from broker.client.hub import Hub
from broker.node.policy import PolicyInvalid
from broker.policy.expected import read_expected
from broker.policy.explaining import Explanation, explain
from broker.policy.pack import EXPECTED, Pack, PackFiles
from broker.policy.packs import ENGLAND, find_pack, folder_of, gather, load, load_pack, names
from broker.policy.question import Asked, Question
from broker.policy.table import glass_text, pack_page
from schemas.records.registry import kind_of
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)

W = TypeVar("W", bound=StrEnum)
_SAID: Final = {
    "by": "asked by",
    "rag": "rating",
    "basis": "basis",
    "without_basis": "without basis",
    "allocated": "allocated worker",
}
"""How a difference is called for people, where its own word does not do."""


@click.group()
def policy() -> None:
    """The hub's policy packs: rules, agreements, legal bases, expected decisions."""


policy.add_command(publish)
policy.add_command(versions)
policy.add_command(tell_desk)


@policy.command()
@click.argument("pack", required=False)
@json_option
@explained
def check(pack: str | None, as_json: bool) -> None:
    """Check PACK, by its name or its folder, against its own expected decisions; or all that come with the program."""
    found = []
    for name in names() if pack is None else [pack]:
        files = gather(find_pack(name))
        shown = _shown(load(files))
        found.append({**shown, "expected_decisions": len(read_expected(files.files[EXPECTED]))})
    lines = [
        f"{one['name']}: holds: {one['rules']} rules, {one['agreements']} agreements, "
        f"{one['expected_decisions']} expected decisions\n"
        f"  {glass_text(one['break_glass'])}\n  digest {one['digest']}"
        for one in found
    ]
    show({"packs": found}, "\n".join(lines), as_json=as_json)


@policy.command("list")
@json_option
@explained
def list_(as_json: bool) -> None:
    """The packs that come with the program."""
    found = [_shown(load_pack(name)) for name in names()]
    lines = [f"{one['name']:10} version {one['version']}  {one['nation']:8} {one['title']}" for one in found]
    show({"packs": found}, "\n".join(lines), as_json=as_json)


@policy.command()
@click.argument("pack", default=ENGLAND)
@explained
def table(pack: str) -> None:
    """Every rule of PACK, by its name or its folder: what it says, what it leaves, where it comes from."""
    click.echo(pack_page(_load(pack)), nl=False)


@policy.command()
@click.argument("pack")
@click.argument("directory", type=click.Path(path_type=Path))
@explained
def copy(pack: str, directory: Path) -> None:
    """Write PACK into a new DIRECTORY, to be made a hub's own: its agreements, the duties in force, its rules."""
    source = folder_of(pack)
    if directory.exists():
        raise PolicyInvalid(f"{directory} is there already; name a directory that is not")
    with resources.as_file(source) as folder:
        shutil.copytree(folder, directory)
    click.echo(f"{directory}: change it, then: broker policy check {directory}")


def _word(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in kind])


@policy.command("explain")
@click.argument("exchange", required=False, type=EXCHANGE_ID)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="NEEDTOKNOW_HUB",
    help="The hub's directory, for EXCHANGE (or set NEEDTOKNOW_HUB).",
)
@click.option(
    "--pack",
    default=ENGLAND,
    help="A pack by its name or its folder; an EXCHANGE is explained by the version that decided it.",
)
@click.option("--asks", type=_word(Category), help="The category.")
@click.option("--mode", type=_word(Mode), default=Mode.CONTENT.value)
@click.option("--about", type=_word(SubjectRole), default=SubjectRole.INDEX_CHILD.value)
@click.option("--by", type=_word(OfficerRole), default=OfficerRole.SOCIAL_WORKER.value)
@click.option("--purpose", type=_word(Purpose), default=Purpose.CHILD_PROTECTION.value)
@click.option("--basis", "bases", type=_word(LawfulBasis), multiple=True, help="As often as there are.")
@click.option("--stage", type=_word(Stage), default=Stage.ENQUIRY.value)
@click.option("--rag", type=_word(Rag), default=Rag.AMBER.value)
@click.option("--consent", type=_word(ConsentState), default=ConsentState.NOT_SOUGHT.value)
@click.option("--allocated", is_flag=True, help="Somebody it is about has an allocated social worker already.")
@click.option("--break-glass", is_flag=True, help="A manager broke the glass for it.")
@click.option("--agency", type=NameParam(), default="any-agency", help="The agency's name at the hub.")
@click.option("--kind", type=_word(AgencyKind), help="Of agency; by default the one that holds the category.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day; by default today.")
@json_option
@explained
def explain_(exchange: str | None, home: Path | None, pack: str, as_json: bool, **typed: Any) -> None:
    """Say which rules decided a request, and what about the case would have to be different.

    For the hub's information governance lead and its administrators. Either EXCHANGE, an id from the log, or what is
    asked, in codes. What is typed here is not asked of anybody.
    """
    if exchange is not None:
        if home is None:
            raise click.UsageError("an exchange is looked up at a hub: say --home")
        _explain_exchange(Hub(home), exchange, as_json=as_json)
        return
    if typed["asks"] is None:
        raise click.UsageError("say what is asked (--asks), or the id of an exchange")
    chosen = _load(pack)
    category = Category(typed["asks"])
    found = explain(chosen, _typed(typed, category), category, Mode(typed["mode"]), SubjectRole(typed["about"]))
    _show(chosen, [found], as_json=as_json)


def _explain_exchange(hub: Hub, exchange: str, *, as_json: bool) -> None:
    kept = hub.ask_coordinator("question", {"exchange": exchange})
    asked = Asked.model_validate(kept["asked"], strict=False)
    files = hub.ask_coordinator("policy-files", {"policy_digest": kept["policy_digest"]})["files"]
    pack = load(PackFiles.of({name: text.encode() for name, text in files.items()}))
    found = [
        explain(pack, asked.question, one.category, one.mode, role) for one in asked.categories for role in asked.roles
    ]
    _show(pack, found, as_json=as_json)


def _typed(typed: dict[str, Any], category: Category) -> Question:
    on: datetime = typed["on"] or datetime.now(UTC)
    return Question(
        by=OfficerRole(typed["by"]),
        purpose=Purpose(typed["purpose"]),
        bases=frozenset(_words(LawfulBasis, typed["bases"] or [LawfulBasis.CA1989_47])),
        stage=Stage(typed["stage"]),
        rag=Rag(typed["rag"]),
        consent=ConsentState(typed["consent"]),
        allocated=typed["allocated"],
        agency=typed["agency"],
        kind=AgencyKind(typed["kind"]) if typed["kind"] else kind_of(category) or AgencyKind.SOCIAL_CARE,
        on=date(on.year, on.month, on.day),
        break_glass=typed["break_glass"],
    )


def _words(kind: type[W], texts: Iterable[str]) -> list[W]:
    return [kind(text) for text in texts]


def _load(pack: str) -> Pack:
    return load(gather(find_pack(pack)))


def _shown(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "title": pack.title,
        "nation": pack.nation.value,
        "version": pack.version,
        "digest": pack.digest,
        "rules": len(pack.cedar.rules),
        "agreements": len(pack.agreements),
        "break_glass": None if pack.glass is None else asdict(pack.glass),
    }


def _show(pack: Pack, found: Sequence[Explanation], *, as_json: bool) -> None:
    members = [_members(pack, one) for one in found]
    lines = [line for one in found for line in _lines(pack, one)]
    show({"policy_digest": pack.digest, "decisions": members}, "\n".join(lines), as_json=as_json)


def _glass_limit(pack: Pack) -> str:
    return "" if pack.glass is None else f", {pack.glass.at_most_hours} hours at most"


def _members(pack: Pack, one: Explanation) -> dict[str, Any]:
    return {
        "category": one.category.value,
        "mode": one.mode.value,
        "about": one.about.value,
        "permitted": bool(one.leaves),
        "rules": {rule: pack.sentence(rule) for rule in one.verdict.rules},
        "reasons": [reason.model_dump(mode="json", exclude_none=True) for reason in one.reasons],
        "leaves": sorted(one.leaves),
        "takes_away": sorted(one.takes_away),
        "glass_lifts": list(one.glass_lifts),
        "glass_permits": one.glass_permits,
        "would_differ": [{what: sorted(values) for what, values in way.items()} for way in one.would_differ],
    }


def _lines(pack: Pack, one: Explanation) -> Iterable[str]:
    yield f"{one.category} ({one.mode}) about {one.about}: {'permitted' if one.leaves else 'refused'}"
    for rule in one.verdict.rules:
        yield f"  {rule}: {pack.sentence(rule)}"
    for reason in one.reasons:
        first, last = reason.in_force_from or "no day yet", reason.in_force_until or "further notice"
        what = reason.basis or reason.agreement
        if what is not None:
            yield f"  {what}: in force from {first} until {last}"
    for rule in one.glass_lifts if one.leaves else ():
        yield f"  lifted, because a manager broke the glass: {rule}: {pack.sentence(rule)}"
    if one.takes_away:
        yield f"  taken away: {', '.join(sorted(one.takes_away))}"
    if one.would_differ:
        yield "  permitted if the case were different in one of these ways:"
    for way in one.would_differ:
        told = [f"{_SAID.get(what, what)} {' or '.join(sorted(values))}" for what, values in sorted(way.items())]
        yield f"    {'; '.join(told)}"
    if one.glass_permits:
        lifted = f", which lifts {', '.join(one.glass_lifts)}" if one.glass_lifts else ""
        yield f"  permitted in an emergency that a manager signs for (break-glass{_glass_limit(pack)}){lifted}"
    if not one.leaves and not one.would_differ and not one.glass_permits:
        yield "  no other stage, rating, consent, footing, role or mode makes it permitted"
