"""Reading a message: every way of being wrong has its own failure, and none of them repeats what came in."""

from __future__ import annotations

import json
import traceback
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, model_validator

from schemas import canonical
from schemas.canonical import DuplicateKey, Malformed, NotCanonical, OutsideProfile, TooLarge
from schemas.failures import Rejected
from schemas.messages.entry import ENTRIES
from schemas.messages.fields import Count, Slug, Word
from schemas.messages.model import (
    FieldInvalid,
    FieldMissing,
    FieldUnknown,
    FieldWrongType,
    KindUnexpected,
    Message,
    Part,
    RuleBroken,
    SuiteUnknown,
    VersionUnknown,
    WordUnknown,
    read,
    read_one_of,
)
from schemas.vectors.entries import leaves
from schemas.vectors.messages import _sound
from schemas.vocabulary import Rag
from tests.vectors.runners import MODELS


class Inner(Part):
    """A part with an optional field and one that has a default."""

    name: Slug
    also: Word | None = None
    count: Count = 0


class Sample(Message):
    """A message with one field of every sort."""

    kind: Literal["sample"] = "sample"
    suite: Literal[1] = 1
    rag: Rag
    sex: Literal["female", "male"] | None = None
    inner: Inner
    several: Annotated[list[Inner], Field(max_length=2, default_factory=list)]

    @model_validator(mode="after")
    def _rule(self) -> Sample:
        if self.inner.name == "forbidden":
            raise RuleBroken("the name must be another")
        return self


SAMPLE = Sample(rag=Rag.RED, inner=Inner(name="a"), several=[])


def changed(**members: object) -> bytes:
    """The sample with other members; None takes one away."""
    whole = {**json.loads(SAMPLE.encode()), **members}
    return canonical.encode({name: value for name, value in whole.items() if value is not None})


@pytest.mark.parametrize(
    ("raw", "failure", "text"),
    [
        (b" " * 40_000, TooLarge, "too_large"),
        (b"{", Malformed, "malformed"),
        (b'{"v":1,"v":1}', DuplicateKey, "duplicate_key"),
        (b'{"v":null}', OutsideProfile, "outside_profile"),
        (SAMPLE.encode() + b"\n", NotCanonical, "not_canonical"),
        (changed(v=2), VersionUnknown, "version"),
        (changed(v=True), VersionUnknown, "version"),
        (changed(v="1"), VersionUnknown, "version"),
        (changed(v=None), VersionUnknown, "version"),
        (changed(v=2, kind="other", suite=2), VersionUnknown, "version"),
        (changed(kind="other"), KindUnexpected, "not a sample"),
        (changed(kind=1), KindUnexpected, "not a sample"),
        (changed(kind=None), KindUnexpected, "not a sample"),
        (changed(kind="other", suite=2), KindUnexpected, "not a sample"),
        (changed(suite=2), SuiteUnknown, "suite"),
        (changed(suite=True), SuiteUnknown, "suite"),
        (changed(suite=None), SuiteUnknown, "suite"),
        (changed(extra=1), FieldUnknown, "field ?"),
        (changed(inner={"name": "a", "count": 0, "rag": 1}), FieldUnknown, "field inner"),
        (changed(rag=None), FieldMissing, "field rag"),
        (changed(inner={"name": "a"}), FieldMissing, "field inner.count"),
        (changed(several=None), FieldMissing, "field several"),
        (changed(several=[{"name": "a"}]), FieldMissing, "field several.0.count"),
        (changed(rag=1), FieldWrongType, "field rag"),
        (changed(sex=1), FieldWrongType, "field sex"),
        (changed(inner=[]), FieldWrongType, "field inner"),
        (changed(several={}), FieldWrongType, "field several"),
        (changed(inner={"name": 1, "count": 0}), FieldWrongType, "field inner.name"),
        (changed(inner={"name": "a", "count": True}), FieldWrongType, "field inner.count"),
        (changed(rag="purple"), WordUnknown, "field rag"),
        (changed(sex="f"), WordUnknown, "field sex"),
        (changed(inner={"name": "A", "count": 0}), FieldInvalid, "field inner.name"),
        (changed(inner={"name": "a", "count": -1}), FieldInvalid, "field inner.count"),
        (changed(several=[{"name": "a", "count": 0}] * 3), FieldInvalid, "field several"),
        (changed(inner={"name": "forbidden", "count": 0}), FieldInvalid, "the name must be another"),
    ],
)
def test_each_way_of_being_wrong_has_its_own_failure(raw: bytes, failure: type[Rejected], text: str) -> None:
    with pytest.raises(Rejected) as refused:
        read(Sample, raw)
    assert type(refused.value) is failure
    assert text in str(refused.value)


def test_a_message_is_read_back_as_it_was_written() -> None:
    assert read(Sample, SAMPLE.encode()) == SAMPLE
    whole = Sample(rag=Rag.RED, sex="male", inner=Inner(name="a", also="b"), several=[Inner(name="c")])
    assert read(Sample, whole.encode()) == whole
    assert b"null" not in SAMPLE.encode()


def test_a_message_is_read_as_whichever_kind_it_names() -> None:
    assert read_one_of({"sample": Sample}, "kind", SAMPLE.encode()) == SAMPLE
    for kind in ("other", None, 1, ["sample"]):
        with pytest.raises(KindUnexpected):
            read_one_of({"sample": Sample}, "kind", changed(kind=kind))
    with pytest.raises(VersionUnknown):
        read_one_of({"sample": Sample}, "kind", changed(kind="other", v=2))


MARK = "qzx-never-repeat-me"
SOUND: list[tuple[str, type[Message], bytes]] = [
    ("sample", Sample, SAMPLE.encode()),
    *((name, MODELS[name], text) for name, text in _sound().items()),
]
poison = st.sampled_from([MARK, [MARK], {MARK: 1}, {"name": MARK}, {MARK: {MARK: MARK}}, MARK * 300])


def places(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every member and element of a JSON value."""
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    return [place, *(found for step, inner in steps for found in places(inner, (*place, step)))]


@given(st.data())
@settings(max_examples=300)
def test_no_failure_ever_repeats_a_value_or_a_name_that_came_in(data: st.DataObject) -> None:
    _, model, text = data.draw(st.sampled_from(SOUND))
    members = json.loads(text)
    *way, last = data.draw(st.sampled_from(places(members)[1:]))
    target = members
    for step in way:
        target = target[step]
    if data.draw(st.booleans()) or isinstance(target, list):
        target[last] = data.draw(poison)
    else:
        target[data.draw(st.sampled_from([MARK, MARK.replace("-", "_")]))] = data.draw(poison)
    try:
        read(model, canonical.encode(members), limit_bytes=300_000)
    except Rejected as failure:
        shown = "".join(traceback.format_exception(failure)) + repr(failure)
        # The traceback quotes lines of source, where the mark does not stand either.
        assert MARK not in shown.replace("_", "-"), shown


@pytest.mark.parametrize("name", sorted(leaves()))
def test_a_field_that_has_a_default_is_still_on_the_wire(name: str) -> None:
    """Otherwise one message would have two forms."""
    for member in json.loads(leaves()[name]):
        members = json.loads(leaves()[name])
        del members[member]
        field = ENTRIES[name].model_fields[member]
        if field.default is not None or field.is_required():
            with pytest.raises(Rejected):
                read_one_of(ENTRIES, "type", canonical.encode(members))
