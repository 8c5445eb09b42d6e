"""The policy engine of coordinator and agent: Cedar, prepared once, and closed whenever it fails.

Owns how a pack of rules is loaded, named and asked. Refuses to know what any rule is about.
"""

from broker.node.policy.decision import Policy, Verdict
from broker.node.policy.loading import load_policy, make_policy
from broker.node.policy.question import Context, Uid, Value
from broker.node.policy.rule import (
    ANNOTATIONS,
    BREAK_GLASS,
    MARKED,
    NO_PERMIT,
    POLICY_ERROR,
    PolicyInvalid,
    Rule,
    place_of,
)

__all__ = [
    "ANNOTATIONS",
    "BREAK_GLASS",
    "MARKED",
    "NO_PERMIT",
    "POLICY_ERROR",
    "Context",
    "Policy",
    "PolicyInvalid",
    "Rule",
    "Uid",
    "Value",
    "Verdict",
    "load_policy",
    "make_policy",
    "place_of",
]
