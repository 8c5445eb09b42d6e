"""Whether an agency that asks clashes with anybody the hub knows: by its name, its keys, or by having asked before.

The hub's half of SPEC 10.2. Names are compared as a tired person reads them; everything else exactly.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final

from schemas.failures import Rejected
from schemas.messages.enrolment import EnrolmentRequest, KeyShared
from schemas.messages.party import Party

_READ_ALIKE: Final = (
    ("-", ""),
    ("rn", "m"),
    ("vv", "w"),
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("2", "z"),
    ("5", "s"),
    ("8", "b"),
)
"""What is taken for one another on a screen or over a telephone, in this order."""


class EnrolmentRepeated(Rejected):
    """A request that was taken in before: each is good for one ceremony."""

    code = "enrolment_repeated"


class AgencyKnown(Rejected):
    """The name is somebody's already."""

    code = "agency_known"


class AgencyUnknown(Rejected):
    """A root was to be replaced of an agency that was never admitted."""

    code = "agency_unknown"


class NameConfusable(Rejected):
    """The name reads like that of a party that is there already."""

    code = "name_confusable"


class RootUnchanged(Rejected):
    """A root was to be replaced by itself; what is new under the same root is a renewal."""

    code = "root_unchanged"


def skeleton(name: str) -> str:
    """What a name looks like: two names with one skeleton are taken for one another."""
    for shown, seen in _READ_ALIKE:
        name = name.replace(shown, seen)
    return name


def check_name(newcomer: str, others: Iterable[str]) -> None:
    """That a name does not read like one of the others.

    Raises:
        NameConfusable: it does.
    """
    if any(skeleton(newcomer) == skeleton(name) for name in others):
        raise NameConfusable("the name reads like that of a party that is there already")


def check_newcomer(
    request: EnrolmentRequest, *, known: Iterable[Party], seen: Container[str], replaces: bool = False
) -> None:
    """That nobody has the newcomer's name, a name like it, or one of its keys, and that it asks for the first time.

    Args:
        known: the newest statement of every party the hub pinned or ever admitted, those it expelled included.
        seen: nonces of the requests taken in before.
        replaces: a person says that this is an agency the hub knows, which made itself a new root.

    Raises:
        EnrolmentRepeated, AgencyKnown, AgencyUnknown, RootUnchanged, NameConfusable, KeyShared: the first that holds.
    """
    if request.header.nonce in seen:  # 9  for the first time
        raise EnrolmentRepeated("this request was taken in before; the agency makes a new one")
    newcomer = request.party
    others = {party.id: party for party in known}
    before = others.pop(newcomer.id, None)  # 10  under a name of its own
    if replaces:
        _check_replaced(newcomer, before)
    elif before is not None:
        raise AgencyKnown("a party of that name is there already")
    check_name(newcomer.id, others)
    if not all(newcomer.publics.isdisjoint(other.publics) for other in others.values()):  # 11  with keys of its own
        raise KeyShared("one of its keys is another party's")


def _check_replaced(newcomer: Party, before: Party | None) -> None:
    if before is None or before.statement.party_kind is not newcomer.statement.party_kind:
        raise AgencyUnknown("no agency of that name was ever admitted")
    if before.root.raw == newcomer.root.raw:
        raise RootUnchanged("the request has the root that is known already")
