"""A small schema, rules for it, and the question they are asked by default."""

from __future__ import annotations

from broker.node.policy import Context, Policy, Uid, make_policy

SCHEMA = """
entity Officer enum ["manager", "worker"];
entity Record enum ["school", "police"];
entity Purpose enum ["protect", "plan"];
action look appliesTo {
    principal: [Officer], resource: [Record],
    context: { purpose: Purpose, tags: Set<Purpose>, age?: Long, urgent?: Bool }
};
"""
PERMIT = """
@id("may-look")
@sentence("Anybody may look to protect.")
permit (principal, action, resource) when { context.purpose == Purpose::"protect" };
"""
OVERFLOWING = """
@id("never-old")
@sentence("Nobody may look at the old.")
forbid (principal, action, resource) when { context has age && context.age + 9223372036854775807 > 0 };
"""
MANAGER, SCHOOL = Uid("Officer", "manager"), Uid("Record", "school")
CONTEXT: Context = {"purpose": Uid("Purpose", "protect"), "tags": frozenset({Uid("Purpose", "plan")})}


def policy(*texts: str) -> Policy:
    return make_policy(("s.cedarschema", SCHEMA), {f"{at}.cedar": text for at, text in enumerate(texts)})


def named(*, annotations: str = "", body: str = "permit (principal, action, resource);") -> str:
    return f'@id("a-rule") @sentence("It may be.") {annotations}\n{body}'
