"""What the rules of a version of the hub's policy say, for people at an agency. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping

from broker.node.policy import make_policy
from schemas.messages.policy import POLICY_SCHEMA


def sentences(files: Mapping[str, str]) -> dict[str, str]:
    """What each rule of a version says, by its id.

    Raises:
        PolicyInvalid: the files hold no rules that this program can read.
    """
    rules = {name: text for name, text in files.items() if name.endswith(".cedar")}
    policy = make_policy((POLICY_SCHEMA, files[POLICY_SCHEMA]), rules, shipped=rules)
    return {rule: " ".join(policy.rules[rule].sentence.split()) for rule in sorted(policy.rules)}
