"""A ruling on a submission: every binding attacked once, in the order of the checks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.desk.ruling import Permitted, Refused, Ruled, read_ruling
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, unpack
from schemas.failures import Rejected
from schemas.vocabulary import Category, Mode, SubjectRole
from tests.support.clock import NOON
from tests.support.desk_world import HandLog, Story, refuse, rule, scopes

OTHER = "0123456789abcdef" * 2
OTHER_DIGEST = OTHER * 2
Parts = tuple[bytes, ...]


def read(story: Story, parts: Parts) -> Ruled:
    return read_ruling(parts, story.asked, trust=story.cast.trust, now=NOON + 1000)


def test_a_permit_is_read_with_its_grant(story: Story) -> None:
    ruled = read(story, story.ruled)
    assert isinstance(ruled, Permitted)
    assert ruled.grant_digest == unpack(story.ruled[2]).digest


def test_a_refusal_is_read_with_its_reasons(story: Story) -> None:
    assert isinstance(read(story, refuse(story.cast, story.envelope)), Refused)


def entry(**changes: object) -> Callable[[Story], Parts]:
    return lambda story: rule(story.cast, story.envelope, entry=changes)


def grant(**changes: object) -> Callable[[Story], Parts]:
    return lambda story: rule(story.cast, story.envelope, grant=changes)


def ruling(**changes: object) -> Callable[[Story], Parts]:
    return lambda story: rule(story.cast, story.envelope, ruling=changes)


def scope(**changes: object) -> Callable[[Story], Parts]:
    def attack(story: Story) -> Parts:
        first, *rest = scopes(story.header)
        return rule(story.cast, story.envelope, grant={"scope": [first.model_copy(update=changes), *rest]})

    return attack


def widened_existence(story: Story) -> Parts:
    first, second = scopes(story.header)
    wide = second.model_copy(update={"mode": Mode.CONTENT, "fields": ["ServicesKnownTo"]})
    return rule(story.cast, story.envelope, grant={"scope": [first, wide]})


def another_log(story: Story) -> Parts:
    return rule(story.cast, story.envelope, log=HandLog(story.cast.log.origin, SigningKey.generate(KeyPurpose.LOG)))


def another_grant(story: Story) -> Parts:
    return (*story.ruled[:2], rule(story.cast, story.envelope, grant={"rules": ["X-1"]})[2])


def grant_by_another_key(story: Story) -> Parts:
    return rule(story.cast, story.envelope, grant_key=SigningKey.generate(KeyPurpose.GRANT))


def grant_with_a_part(story: Story) -> Parts:
    envelope = unpack(story.ruled[2])
    return (*story.ruled[:2], pack(envelope.header, envelope.signatures, [b"more"]))


def unsigned_grant(story: Story) -> Parts:
    return (*story.ruled[:2], pack(unpack(story.ruled[2]).header))


def refusal_passed_as_permit(story: Story) -> Parts:
    return (story.ruled[0], refuse(story.cast, story.envelope)[1], story.ruled[2])


ATTACKS = [
    (lambda story: story.ruled[:1], "parts_unexpected"),  # 1
    (ruling(exchange=OTHER), "ruling_foreign"),  # 2
    (ruling(agency="gwent-health"), "ruling_foreign"),
    (ruling(hub="otherhub"), "ruling_foreign"),
    (ruling(request_digest=OTHER_DIGEST), "request_differs"),
    (ruling(permitted=False), "ruling_foreign"),
    (lambda story: story.ruled[:2], "ruling_foreign"),
    (another_log, "note_not_signed"),  # 3
    (refusal_passed_as_permit, "entry_foreign"),  # 4
    (entry(hub="otherhub"), "entry_foreign"),
    (entry(log="other.example/log"), "entry_foreign"),
    (entry(agency="gwent-health"), "entry_foreign"),
    (entry(exchange=OTHER), "entry_foreign"),
    (entry(request_digest=OTHER_DIGEST), "request_differs"),  # 5
    (entry(addendum_digest=OTHER_DIGEST), "request_differs"),
    (entry(desk_key=OTHER), "request_differs"),
    (entry(desk_sig=OTHER_DIGEST * 2), "request_differs"),
    (lambda story: refuse(story.cast, story.envelope, entry={"policy_digest": OTHER_DIGEST}), "ruling_foreign"),  # 6
    (entry(deadline_at=NOON + 1), "times_differ"),
    (entry(expires_at=NOON + 1), "times_differ"),
    (another_grant, "grant_differs"),
    (entry(grant_digest=OTHER_DIGEST), "grant_differs"),
    (grant_by_another_key, "key_unknown"),  # 7
    (unsigned_grant, "signature_missing"),
    (grant_with_a_part, "grant_differs"),
    (grant(hub="otherhub"), "grant_differs"),  # 8
    (grant(agency="gwent-health"), "grant_differs"),
    (grant(exchange=OTHER), "grant_differs"),
    (grant(request_digest=OTHER_DIGEST), "request_differs"),
    (grant(policy_digest=OTHER_DIGEST), "grant_differs"),
    (grant(expires_at=NOON + 60 * 24 * 3_600_000), "grant_widens"),  # 9
    (scope(category=Category.POLICE_DA), "grant_widens"),
    (scope(roles=[SubjectRole.ALLEGED_PERPETRATOR]), "grant_widens"),
    (scope(fields=["Date", "Shoesize"]), "grant_widens"),
    (widened_existence, "grant_widens"),
]


@pytest.mark.parametrize(("attack", "code"), ATTACKS, ids=[f"{n}-{code}" for n, (_, code) in enumerate(ATTACKS)])
def test_a_ruling_with_one_broken_binding_fails_at_its_check(
    story: Story, attack: Callable[[Story], Parts], code: str
) -> None:
    with pytest.raises(Rejected) as failed:
        read(story, attack(story))
    assert failed.value.code == code


def test_a_grant_may_narrow_content_to_existence(story: Story) -> None:
    narrowed = scope(mode=Mode.EXISTENCE, fields=["held"])(story)
    assert isinstance(read(story, narrowed), Permitted)
