"""How bytes become a message, once, at the edge: canonical, known version, exactly the fields of its kind (SPEC 2)."""

from __future__ import annotations

import re
from typing import ClassVar, Final, Literal, TypeVar

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


class Message(BaseModel):
    """Anything that is sent: immutable, strict, nothing extra, and silent about its input when it fails."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)
    kind_name: ClassVar[str | None] = None

    v: Literal[1] = 1

    def encode(self) -> bytes:
        """Its canonical bytes; fields without a value are left out."""
        return canonical.encode(self.model_dump(mode="json", exclude_none=True))


class Part(BaseModel):
    """A piece of a message; without a version of its own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


M = TypeVar("M", bound=Message)


def read(model: type[M], raw: bytes, *, limit_bytes: int = MAX_HEADER_BYTES) -> M:
    """The message of that kind whose canonical bytes are `raw`.

    Raises:
        canonical.TooLarge, Malformed, DuplicateKey, OutsideProfile, NotCanonical: the bytes are not canonical JSON.
        VersionUnknown, SuiteUnknown, KindUnexpected: the header says it is something else.
        FieldUnknown, FieldMissing, FieldWrongType, WordUnknown, FieldInvalid: one of its fields; the text names it.
    """
    members = canonical.parse(raw, limit_bytes=limit_bytes)
    if (members.get("v") is not True and members.get("v") != VERSION) or isinstance(members.get("v"), bool):
        raise VersionUnknown("its version is not 1")
    if "suite" in model.model_fields and "suite" in members and members["suite"] != SUITE:
        raise SuiteUnknown("its suite is not 1")
    kind = model.model_fields.get("kind")
    if kind is not None and "kind" in members and members["kind"] != kind.default:
        raise KindUnexpected(f"not a {kind.default}")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise failure_of(error) from None


_BY_TYPE: Final[dict[str, type[Rejected]]] = {
    "missing": FieldMissing,
    "extra_forbidden": FieldUnknown,
    "enum": WordUnknown,
    "literal_error": WordUnknown,
    "union_tag_invalid": WordUnknown,
}
_PLAIN: Final = re.compile(r"[a-z_]{1,40}")


def failure_of(error: ValidationError) -> Rejected:
    """The first thing wrong, as a failure that names the field by its place and never shows a value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) if isinstance(step, int) or _PLAIN.fullmatch(step) else "?" for step in first["loc"])
    kind = first["type"]
    failure = _BY_TYPE.get(kind, FieldWrongType if kind.endswith("_type") else FieldInvalid)
    return failure(f"field {place or '(whole)'} ({kind})")
