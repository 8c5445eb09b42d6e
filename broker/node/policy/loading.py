"""How a pack of rules is loaded: its files in, a policy that can be asked, or the file, line and reason why not.

Refuses to know what any rule is about.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Final

import cedarpy

from broker.node.policy.decision import Policy, policy_of
from broker.node.policy.rule import PolicyInvalid, Rule, check_fields, place_of, read_rule
from broker.node.policy.rulebook import Rulebook

_POLICY_START: Final = re.compile(r"^[ \t]*@id\b", re.MULTILINE)


def load_policy(schema: Path | Traversable, directory: Path | Traversable) -> Policy:
    """The policy of a schema file and of all `*.cedar` files of a directory.

    Its digest is what `sha256sum SCHEMA *.cedar | sha256sum` gives, each file named without its folder, the schema
    first and the others in order of name.

    Raises:
        PolicyInvalid: a file is missing or not text, there is no policy at all, or what `make_policy` finds.
    """
    try:
        texts = {file.name: file.read_bytes().decode() for file in directory.iterdir() if file.name.endswith(".cedar")}
        return make_policy((schema.name, schema.read_bytes().decode()), texts)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"the policy cannot be read ({type(error).__name__})") from None


def make_policy(schema: tuple[str, str], files: Mapping[str, str], *, shipped: Collection[str] = ()) -> Policy:
    """The policy of a schema (name and text) and of policy files (text by name).

    Args:
        shipped: names of files that come with the program. A test looks up the fields they name; to look again would
            have every agent load the records of all others.

    Raises:
        PolicyInvalid: something does not parse, does not fit the schema, or lacks a unique `@id` or a `@sentence`.
    """
    schema_name, schema_text = schema
    try:
        prepared = cedarpy.Schema.from_str(schema_text)
        entities = cedarpy.Entities.from_json_str("[]", prepared)
    except ValueError as error:
        raise PolicyInvalid(f"{schema_name}: {error}") from None
    rules: dict[str, Rule] = {}
    for name in sorted(files):
        for rule in _rules_of(name, files[name], prepared):
            if name not in shipped:
                check_fields(rule, place_of(name, files[name], rule.id))
            if rule.id in rules:
                first = rules[rule.id].file
                where = place_of(name, files[name], rule.id, after=int(first == name))
                raise PolicyInvalid(f"{where}: {first} has that id too")
            rules[rule.id] = rule
    if not rules:
        raise PolicyInvalid("there is no policy")
    policies = cedarpy.PolicySet.from_str("\n".join(files[name] for name in sorted(files)))
    lines = [_digest_line(schema_name, schema_text), *(_digest_line(name, files[name]) for name in sorted(files))]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return policy_of(digest, rules, Rulebook(policies, prepared, entities))


def _rules_of(name: str, text: str, schema: cedarpy.Schema) -> list[Rule]:
    try:
        parsed = cedarpy.PolicySet.from_str(text).to_pst()
    except ValueError as error:
        raise PolicyInvalid(f"{_broken_place(name, text)}: {error}") from None
    if parsed.templates or parsed.template_links:
        raise PolicyInvalid(f"{name}: templates are not used")
    rules = [
        read_rule(name, text, number, policy.effect == "permit", policy.annotations)
        for number, policy in enumerate(parsed.static_policies.values(), 1)
    ]
    checked = cedarpy.validate_policies(text, schema)
    if not checked.validation_passed:
        first = checked.errors[0]
        rule_id = checked.id_annotations_by_policy_id.get(first.policy_id, "")
        raise PolicyInvalid(f"{place_of(name, text, rule_id)}: {first.error}")
    return rules


def _broken_place(name: str, text: str) -> str:
    """Where the first policy begins that does not parse by itself: the parser says what is wrong, and not where."""
    starts = [found.start() for found in _POLICY_START.finditer(text)] or [0]
    for start, end in pairwise([*starts, len(text)]):
        try:
            cedarpy.PolicySet.from_str(text[start:end])
        except ValueError:
            return f"{name}, line {text.count(chr(10), 0, start) + 1}"
    return name


def _digest_line(name: str, text: str) -> str:
    return f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n"
