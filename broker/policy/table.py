"""The page on the packs: every rule as people read it, written from the packs themselves."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from broker.node.policy import Rule
from broker.policy.agreements import Agreement
from broker.policy.pack import Pack
from broker.policy.packs import load_pack, names

_INTRODUCTION: Final = """# Policy packs

<!-- Written by `python -m broker.policy.table`; tests/unit/broker/policy/test_table.py compares. -->

What the coordinator permits and refuses, as [Cedar](https://www.cedarpolicy.com) policies. The rules are in
`packs/<name>/*.cedar`, the words they use in `hub.cedarschema`, which is written from `schemas/vocabulary.py`.

* Nothing is permitted unless a rule permits it (`no-permit`). A *never* outweighs every *may*. A rule that cannot be
  evaluated refuses everything (`policy-error`).
* Each policy has a unique `@id`, a `@sentence` in plain words, a `@source`; a permit may say which fields it keeps or
  removes (`@keep`, `@remove`; `marked:` means every field that `schemas/records` marks so). If several rules permit, a
  field is granted that any of them leaves. An unknown annotation, field, word or attribute stops the start.
* The digest of a pack is in every grant, every refusal and the log. It is what `sha256sum` makes of its own output:
  `(cd broker/policy; { sha256sum hub.cedarschema; cd reference; sha256sum legal-bases.toml; cd ../packs/england;
  sha256sum *.cedar *.toml; } | sha256sum)`
"""


def page() -> str:
    """The text of `broker/policy/README.md`."""
    return "\n".join([_INTRODUCTION, *(pack_page(load_pack(name)) for name in names())])


def pack_page(pack: Pack) -> str:
    """The part of the page that is about one pack."""
    lines = [f"## {pack.name}", "", f"{pack.title}, version {pack.version}. Digest `{pack.digest}`.", ""]
    lines += ["| agreement | signed by | for | from | until | source |", "|---|---|---|---|---|---|"]
    lines += [_agreement(one) for one in pack.agreements]
    lines.append("")
    for file, rules in groupby(pack.cedar.rules.values(), key=lambda rule: rule.file):
        lines += [f"### {file}", "", "| rule | | says | fields | source |", "|---|---|---|---|---|"]
        lines += [_row(rule) for rule in rules]
        lines.append("")
    return "\n".join(lines)


def _agreement(one: Agreement) -> str:
    signed = ", ".join([*sorted(one.agencies), *(f"every {kind}" for kind in sorted(one.kinds))])
    purposes = ", ".join(sorted(one.purposes))
    return f"| {one.id}: {one.title} | {signed} | {purposes} | {one.span.first} | {one.span.last} | {one.source} |"


def _row(rule: Rule) -> str:
    fields = [f"only {name}" for name in rule.keep] + [f"without {name}" for name in rule.remove]
    kind = "may" if rule.permits else "never"
    source = rule.annotations.get("source", "")
    return f"| {rule.id} | {kind} | {rule.sentence} | {', '.join(fields)} | {source} |"


if __name__ == "__main__":
    print(page(), end="")
