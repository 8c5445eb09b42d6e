"""How bytes become a message, once, at the edge: canonical, known version, exactly the fields of its kind (SPEC 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas import canonical
from schemas.envelope import MAX_HEADER_BYTES
from schemas.failures import Rejected

VERSION: Final = 1
SUITE: Final = 1


class VersionUnknown(Rejected):
    """A version that this program does not speak; there is no negotiation."""

    code = "version_unknown"


class SuiteUnknown(Rejected):
    """A cryptographic suite that this program does not speak; there is no negotiation."""

    code = "suite_unknown"


class KindUnexpected(Rejected):
    """A message of another kind than the one that belongs here."""

    code = "kind_unexpected"


class FieldUnknown(Rejected):
    """A field that this kind of message does not have."""

    code = "field_unknown"


class FieldMissing(Rejected):
    """A field that this kind of message must have."""

    code = "field_missing"


class FieldWrongType(Rejected):
    """A field of the wrong JSON type."""

    code = "field_wrong_type"


class WordUnknown(Rejected):
    """A word that is not on the closed list of its field."""

    code = "word_unknown"


class FieldInvalid(Rejected):
    """A field of the right type whose value breaks its rule."""

    code = "field_invalid"


class RuleBroken(ValueError):
    """A rule of a model does not hold. Its text is a constant: it may be shown, since it quotes no value."""


class Message(BaseModel):
    """Anything that is sent: immutable, strict, nothing extra, and silent about its input when it fails."""

    # Built at its first use: no party reads every kind, and a command two or three.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    v: Literal[1] = 1

    def encode(self) -> bytes:
        """Its canonical bytes; fields without a value are left out."""
        return canonical.encode(self.model_dump(mode="json", exclude_none=True))


class Part(BaseModel):
    """A piece of a message; without a version of its own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


M = TypeVar("M", bound=Message)


def read(model: type[M], raw: bytes, *, limit_bytes: int = MAX_HEADER_BYTES) -> M:
    """The message of that kind whose canonical bytes are `raw`.

    Raises:
        canonical.TooLarge, Malformed, DuplicateKey, OutsideProfile, NotCanonical: the bytes are not canonical JSON.
        VersionUnknown, KindUnexpected, SuiteUnknown: it says, or does not say, that it is something else.
        FieldUnknown, FieldMissing, FieldWrongType, WordUnknown, FieldInvalid: one of its fields; the text names it.
    """
    members = canonical.parse(raw, limit_bytes=limit_bytes)
    _check_version(members)
    return _validated(model, raw, members)


def read_one_of(models: Mapping[str, type[M]], member: str, raw: bytes, *, limit_bytes: int = MAX_HEADER_BYTES) -> M:
    """The message of whichever of these kinds its `member` names.

    Raises:
        KindUnexpected: it names none of them.
        Rejected: as `read`.
    """
    members = canonical.parse(raw, limit_bytes=limit_bytes)
    _check_version(members)
    named = members.get(member)
    model = models.get(named) if isinstance(named, str) else None
    if model is None:
        raise KindUnexpected("none of the kinds that belong here")
    return _validated(model, raw, members)


def _check_version(members: Mapping[str, canonical.Json]) -> None:
    if not _is_integer(members.get("v"), VERSION):
        raise VersionUnknown("its version is not 1")


def _validated(model: type[M], raw: bytes, members: Mapping[str, canonical.Json]) -> M:
    kind = model.model_fields.get("kind")
    if kind is not None and members.get("kind") != kind.default:
        raise KindUnexpected(f"not a {kind.default}")
    if "suite" in model.model_fields and not _is_integer(members.get("suite"), SUITE):
        raise SuiteUnknown("its suite is not 1")
    try:
        message = model.model_validate_json(raw)
    except ValidationError as error:
        raise failure_of(model, error) from None
    for place in _left_out(message):
        raise FieldMissing(f"field {place}")
    return message


def _is_integer(value: canonical.Json | None, expected: int) -> bool:
    # `true` equals 1 in Python, and in the eyes of a pydantic Literal too.
    return type(value) is int and value == expected


def _left_out(message: BaseModel, place: str = "") -> Iterator[str]:
    """Fields whose default would stand in for them: on the wire only a field that may have no value is left out."""
    always, with_parts = _shape(type(message))
    if not always <= message.model_fields_set:
        yield from (place + name for name in sorted(always - message.model_fields_set))
    for name in with_parts:
        value = getattr(message, name)
        if isinstance(value, BaseModel):
            yield from _left_out(value, f"{place}{name}.")
        elif isinstance(value, list):
            for number, element in enumerate(value):
                if isinstance(element, BaseModel):
                    yield from _left_out(element, f"{place}{name}.{number}.")


@cache
def _shape(model: type[BaseModel]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The fields that are always on the wire, and those that hold parts."""
    fields = model.model_fields.items()
    always = frozenset(name for name, field in fields if field.default_factory or field.default is not None)
    return always, tuple(name for name, field in fields if any(_parts_of(field.annotation)))


_BY_TYPE: Final[Mapping[str, type[Rejected]]] = {
    "missing": FieldMissing,
    "extra_forbidden": FieldUnknown,
    "enum": WordUnknown,
    "literal_error": WordUnknown,
}


def failure_of(model: type[BaseModel], error: ValidationError) -> Rejected:
    """The first thing wrong, as a failure that names the field by its place and never shows a value."""
    first = error.errors(include_url=False)[0]
    ours = _field_names(model)
    # A name that is none of ours is input: whoever made it could have put anything there.
    place = ".".join(str(step) if isinstance(step, int) or step in ours else "?" for step in first["loc"])
    kind = first["type"]
    failure = _BY_TYPE.get(kind, FieldWrongType if kind.endswith("_type") else FieldInvalid)
    if failure is WordUnknown and not isinstance(first["input"], str):
        failure = FieldWrongType
    broken = first.get("ctx", {}).get("error")
    return failure(f"field {place or '(whole)'} ({broken if isinstance(broken, RuleBroken) else kind})")


@cache
def _field_names(model: type[BaseModel]) -> frozenset[str]:
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for part in _parts_of(field.annotation):
            names |= _field_names(part)
    return frozenset(names)


def _parts_of(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts_of(argument)
