"""The page on the packs: every rule as people read it, written from the packs themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from broker.node.policy import Rule
from broker.policy.agreements import Agreement
from broker.policy.catalogue import homes
from broker.policy.filters import FILTERS
from broker.policy.pack import Pack
from broker.policy.packs import load_pack, names

_INTRODUCTION: Final = """# Policy packs

<!-- Written by `python -m broker.policy.table`; tests/unit/broker/policy/test_table.py compares. -->

What the coordinator permits and refuses. A pack is a folder: rules as [Cedar](https://www.cedarpolicy.com) policies
(`*.cedar`), the sharing agreements (`agreements.toml`), cases with their expected decisions (`expected.toml`), and a
manifest that names them (`pack.toml`). With it go the words the rules use (`hub.cedarschema`, written from
`schemas/vocabulary.py`) and the legal bases with their nations and dates (`reference/legal-bases.toml`).

A request is decided in this order; a reason names the rule, and the dates where it rests on dates:

1. Every legal basis it names is law in the pack's nation and in force on the day (the day of `asked_at` in the United
   Kingdom).
2. The agency has signed an agreement that is in force on the day and names the purpose. Conditions of data protection
   law (Articles 6, 9, 10) that such agreements state count with those that the request names. Where a manager broke
   the glass (R31), the pack's agreements say for how long that is good, and when its review is to be closed
   (`[break_glass]` in `agreements.toml`): never more than 24 and 120 hours, and without that table not at all.
3. For each category, mode and role the rules. Nothing is permitted unless a rule permits it (`no-permit`). A *never*
   outweighs every *may*. A rule that cannot be evaluated refuses everything (`policy-error`).

What a rule may say:

* Each policy has a unique `@id`, a `@sentence` in plain words, a `@source`; a permit may say which fields it keeps or
  removes (`@keep`, `@remove`; `marked:` means every field that `schemas/records` marks so). If several rules permit, a
  field is granted that any of them leaves. An unknown annotation, field, word or attribute is refused.
* A *never* may be `@liftable("break-glass")`: where a manager signed beside the officer (R31) it does not count, and
  the grant names it. Rules of R18, R19 and R21 cannot be marked so; legal bases, agreements, and whatever an agency
  decides are never lifted. `context.break_glass` says that the glass was broken.
* A pack is tried against its expected decisions whenever it is loaded. One that comes out otherwise refuses the pack,
  and so does a rule that decides none of them: it may be one that can never decide.
* In a `when`, what compares one thing with words (`context.stage == ...`, `[...].contains(resource)`) stands first,
  joined by `&&`: where one of them is false, the rule is not even asked. What can fail, as a sum can, stands last.

A pack of your own: `broker policy copy england rules`, change it (your agreements first), `broker policy check rules`.
The hub's IG lead puts it in force: `broker policy publish rules --key KEY --from 2026-12-01`; for Wales as it comes:
`broker policy publish wales ...`.
From then on the coordinator decides by the version that was signed, and not by the folder.
`broker policy explain` says which rules decide a case and what about it would have to be different; it is for the hub's
information governance lead, not for whoever asks: an officer is told rule ids and sentences.

The digest of a pack is in every grant, every refusal and the log. It is what `sha256sum` makes of its own output:
`(cd broker/policy; { sha256sum hub.cedarschema; cd reference; sha256sum legal-bases.toml; cd ../packs/england;
sha256sum *.cedar *.toml; } | sha256sum)`
"""


def page() -> str:
    """The text of `broker/policy/README.md`."""
    packs = [load_pack(name) for name in names()]
    return "\n".join([_INTRODUCTION, _catalogue(packs), _filters(), *(pack_page(pack) for pack in packs)])


def _catalogue(packs: Sequence[Pack]) -> str:
    titles = [pack.name for pack in packs]
    lines = [
        "## The catalogue",
        "",
        f"| | says | {' | '.join(titles)} | agency | also |",
        "|---" * (len(titles) + 4) + "|",
    ]
    for home in homes(packs):
        cells = [", ".join(home.packs[name]) for name in titles]
        also = "; ".join(one.by for one in home.also) if home.is_made else "*awaited*"
        lines.append(f"| {home.number} | {home.says} | {' | '.join(cells)} | {', '.join(home.agency)} | {also} |")
    return "\n".join([*lines, ""])


def _filters() -> str:
    lines = ["## Rules of the program", "", "| rule | says | source |", "|---|---|---|"]
    lines += [f"| {one.id} | {one.sentence} | {one.source} |" for one in FILTERS.values()]
    return "\n".join([*lines, ""])


def pack_page(pack: Pack) -> str:
    """The part of the page that is about one pack."""
    lines = [f"## {pack.name}", "", f"{pack.title}, version {pack.version}. Digest `{pack.digest}`.", ""]
    lines += ["| agreement | signed by | for | from | until | source |", "|---|---|---|---|---|---|"]
    lines += [_agreement(one) for one in pack.agreements]
    lines += ["", f"{glass_text(None if pack.glass is None else asdict(pack.glass)).capitalize()}.", ""]
    for file, rules in groupby(pack.cedar.rules.values(), key=lambda rule: rule.file):
        lines += [f"### {file}", "", "| rule | | says | fields | source |", "|---|---|---|---|---|"]
        lines += [_row(rule) for rule in rules]
        lines.append("")
    return "\n".join(lines)


def glass_text(glass: Mapping[str, int] | None) -> str:
    """What is agreed of broken glasses (R31), in words."""
    if glass is None:
        return "no glass is broken: the agreements say nothing of it"
    return (
        f"a glass is broken for {glass['at_most_hours']} hours at most;"
        f" its review is closed within {glass['review_within_hours']} hours"
    )


def _agreement(one: Agreement) -> str:
    signed = ", ".join([*sorted(one.agencies), *(f"every {kind}" for kind in sorted(one.kinds))])
    purposes = ", ".join(sorted(one.purposes))
    return f"| {one.id}: {one.title} | {signed} | {purposes} | {one.span.first} | {one.span.last} | {one.source} |"


def _row(rule: Rule) -> str:
    fields = [f"only {name}" for name in rule.keep] + [f"without {name}" for name in rule.remove]
    kind = "may" if rule.permits else "never, but for a broken glass" if rule.is_liftable else "never"
    source = rule.annotations.get("source", "")
    return f"| {rule.id} | {kind} | {rule.sentence} | {', '.join(fields)} | {source} |"


if __name__ == "__main__":
    print(page(), end="")
