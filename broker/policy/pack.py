"""A policy pack: rules, sharing agreements, legal bases and expected decisions, under one digest.

Bytes in, a pack that holds out, or the file, line and reason why it does not. Its own expected decisions are part of
what must hold. Owns no folder: `broker.policy.packs` gathers the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final

from pydantic import Field

from broker.node.policy import Policy, PolicyInvalid, Rule, Verdict, make_policy, place_of
from broker.policy.agreements import Agreement, read_agreements, read_glass
from broker.policy.filters import FILTERS
from broker.policy.legal import BASES_FILE, LegalBasis, read_bases
from broker.policy.question import Question
from broker.policy.terms import Terms, terms_of
from broker.policy.toml_file import Table, place, read_file
from broker.policy.vocabulary import about, context_of, principal_of, resource_of
from schemas.messages.fields import Word
from schemas.messages.glass import AGREEMENTS_FILE, GlassTerms
from schemas.messages.grant import Reason
from schemas.messages.policy import POLICY_SCHEMA, policy_digest
from schemas.vocabulary import Category, LawfulBasis, Mode, Nation, SubjectRole

MANIFEST: Final = "pack.toml"
EXPECTED: Final = "expected.toml"
SCHEMA: Final = POLICY_SCHEMA
NEVER_LIFTED: Final = frozenset({"R18", "R19", "R21"})
"""Adoption, gender recognition, fertility treatment: closed by statute (DOMAIN section 6)."""
_NUMBER: Final = re.compile(r"\bR[0-9]+\b")
_NEEDED: Final = (AGREEMENTS_FILE, EXPECTED)


@dataclass(frozen=True, slots=True)
class PackFiles:
    """The bytes of a pack. `schema` and `bases` come with the program, `files` are the pack's own, by name."""

    schema: bytes
    bases: bytes
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """What `sha256sum` makes of its own output on schema, legal bases, the Cedar files and the TOML files."""
        return policy_digest(self.whole)

    @property
    def whole(self) -> Mapping[str, bytes]:
        """Every file by its name, those that come with the program too: what a version of the policy is made of."""
        return {**self.files, SCHEMA: self.schema, BASES_FILE: self.bases}

    @classmethod
    def of(cls, whole: Mapping[str, bytes]) -> PackFiles:
        """The pack of every file of a version."""
        own = {name: raw for name, raw in whole.items() if name not in (SCHEMA, BASES_FILE)}
        return cls(whole[SCHEMA], whole[BASES_FILE], own)


@dataclass(frozen=True, slots=True)
class Pack:
    """What a hub decides by. `digest` is what grants, refusals and the log name it by."""

    name: str
    title: str
    nation: Nation
    version: int
    digest: str
    cedar: Policy
    bases: Mapping[LawfulBasis, LegalBasis] = field(repr=False)
    agreements: tuple[Agreement, ...] = field(repr=False)
    glass: GlassTerms | None = None
    """For how long a glass may be broken; None where it may not."""

    def terms(self, question: Question) -> Terms | tuple[Reason, ...]:
        """The footing of a request, or the reasons why it has none."""
        return terms_of(question, nation=self.nation, bases=self.bases, agreements=self.agreements, glass=self.glass)

    def weigh(self, question: Question, terms: Terms) -> Weighing:
        """The rules, ready to be asked about what a request asks for."""
        return Weighing(self.cedar, question, terms, self.bases)

    def sentence(self, rule: str) -> str:
        """What a rule says, in plain words; nothing for a rule that this pack does not have."""
        if rule in self.cedar.rules:
            return self.cedar.rules[rule].sentence
        return FILTERS[rule].sentence if rule in FILTERS else ""


class Weighing:
    """One request before the rules: asked for each category, mode and role of a subject."""

    def __init__(
        self, policy: Policy, question: Question, terms: Terms, bases: Mapping[LawfulBasis, LegalBasis]
    ) -> None:
        self._policy = policy
        self._principal = principal_of(question)
        self._is_glass_broken = question.break_glass
        self._shared = context_of(question, {bases[code].kind for code in terms.conditions})

    def verdict(self, category: Category, mode: Mode, role: SubjectRole) -> Verdict:
        """What the rules say."""
        context = about(self._shared, role, category)
        return self._policy.decide(
            self._principal, mode.value, resource_of(category), context, is_glass_broken=self._is_glass_broken
        )


class Manifest(Table):
    """A pack's `pack.toml`."""

    name: Word
    title: Annotated[str, Field(min_length=1, max_length=300)]
    nation: Nation
    version: Annotated[int, Field(ge=1)]
    files: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}\.(cedar|toml)$")]], Field(min_length=1)
    ]
    commencement: Annotated[dict[LawfulBasis, date], Field(default_factory=dict)]


def read_manifest(files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a pack, whose list of files is the list of files that there are.

    Raises:
        PolicyInvalid: it does not hold, names a file that is missing, or does not name one that is there.
    """
    if MANIFEST not in files:
        raise PolicyInvalid(f"{MANIFEST} is missing: a pack names its nation, its version and its files there")
    manifest = read_file(MANIFEST, files[MANIFEST], Manifest)
    where = place(MANIFEST, files[MANIFEST].decode(), ("files",))
    if len(set(manifest.files)) != len(manifest.files):
        raise PolicyInvalid(f"{where}: files names one file twice")
    for name in (*manifest.files, *_NEEDED):
        if name not in files or name not in manifest.files:
            raise PolicyInvalid(f"{where}: {name} is missing" + ("" if name in files else " in the folder"))
    if unnamed := sorted(files.keys() - set(manifest.files) - {MANIFEST}):
        raise PolicyInvalid(f"{where}: {unnamed[0]} is in the folder, and files does not name it")
    return manifest


def _never_lifted(rule: Rule) -> str | None:
    """The number of the catalogue that a rule is marked to lift and that nobody lifts."""
    numbers = set(_NUMBER.findall(f"{rule.id} {rule.annotations.get('source', '')}"))
    return next(iter(sorted(NEVER_LIFTED & numbers)), None) if rule.is_liftable else None


def _text_of(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise PolicyInvalid(f"{name}: not UTF-8 text") from None


def make_pack(given: PackFiles) -> Pack:
    """The pack of these files, not yet held against its expected decisions.

    Raises:
        PolicyInvalid: a file does not hold; the text says file, line and reason.
    """
    manifest = read_manifest(given.files)
    bases = read_bases(given.bases, manifest.commencement)
    rules = {name: _text_of(name, given.files[name]) for name in manifest.files if name.endswith(".cedar")}
    cedar = make_policy((SCHEMA, given.schema.decode()), rules)
    if taken := sorted(cedar.rules.keys() & FILTERS.keys()):
        raise PolicyInvalid(f"{cedar.rules[taken[0]].file}: {taken[0]} is the id of a rule of the program")
    for rule in cedar.rules.values():
        if (never := _never_lifted(rule)) is not None:
            where = place_of(rule.file, rules[rule.file], rule.id)
            raise PolicyInvalid(f"{where}: {never} is never lifted, by a broken glass or anything else")
    return Pack(
        name=manifest.name,
        title=manifest.title,
        nation=manifest.nation,
        version=manifest.version,
        digest=given.digest,
        cedar=cedar,
        bases=bases,
        agreements=read_agreements(given.files[AGREEMENTS_FILE], bases, manifest.nation),
        glass=read_glass(given.files[AGREEMENTS_FILE]),
    )
