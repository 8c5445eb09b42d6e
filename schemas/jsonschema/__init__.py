"""JSON Schema (2020-12) of every message, entry and record, made from the models and written beside this file.

A schema says the shape. What a shape cannot say (canonical bytes, check digits, one subject once, times in order) is in
SPEC.md; so a text that a schema refuses is never a message, and one that it takes may still not be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from schemas.messages.addendum import AddendumHeader
from schemas.messages.admission import AdmissionHeader
from schemas.messages.answer import AnswerBody, AnswerHeader, ReleaseTold
from schemas.messages.directory import DirectoryLines, DirectoryStatement
from schemas.messages.enrolment import EnrolmentHeader, Possession
from schemas.messages.entry import ENTRIES
from schemas.messages.grant import Grant, Ruling
from schemas.messages.party import PartyStatement
from schemas.messages.policy import PolicyFiles, PolicyStatement
from schemas.messages.request import RequestBody, RequestHeader, RequestTold
from schemas.messages.transport import OUTER
from schemas.records.record import Existence
from schemas.records.registry import model_of
from schemas.vocabulary import Category, Mode

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SINGLE: Final[tuple[type[BaseModel], ...]] = (
    RequestHeader,
    RequestBody,
    RequestTold,
    AddendumHeader,
    Grant,
    Ruling,
    AnswerHeader,
    AnswerBody,
    ReleaseTold,
    PartyStatement,
    DirectoryStatement,
    DirectoryLines,
    EnrolmentHeader,
    Possession,
    AdmissionHeader,
    PolicyStatement,
    PolicyFiles,
)


class WireSchema(GenerateJsonSchema):
    """The shape on the wire: never null, and every field is there but those that may be without a value."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        """The schema of the value, without null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """The schema of the value: a default never stands in for it."""
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """An object whose keys all fit the pattern; as it comes, keys that do not would be free."""
        return {**super().dict_schema(schema), "additionalProperties": False}

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Whether the field is always on the wire (SPEC 2.2)."""
        inner = field["schema"]
        return not (inner["type"] == "default" and inner.get("default", ...) is None)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: the name is title enough."""
        return False


def schema_files() -> dict[str, str]:
    """Every schema as the text of a file, by its path below `schemas/`."""
    whole = {_kebab(model.__name__): _single(model) for model in _SINGLE}
    whole["outer"] = _one_of("outer", OUTER)
    whole["entry"] = _one_of("entry", ENTRIES)
    for group in dict.fromkeys(category.split(".")[0] for category in Category):
        whole[f"record-{group}"] = _records(group)
    return {f"jsonschema/{name}.json": json.dumps(schema, indent=1) + "\n" for name, schema in sorted(whole.items())}


def definitions(models: Iterable[type[BaseModel]], ref_template: str) -> dict[str, Any]:
    """The definitions of these models and of what they are made of, by name."""
    asked = [(model, "validation") for model in models]
    _, whole = models_json_schema(
        asked,  # type: ignore[arg-type]
        schema_generator=WireSchema,
        ref_template=ref_template,
    )
    found: dict[str, Any] = whole["$defs"]
    return found


def _single(model: type[BaseModel]) -> dict[str, Any]:
    return {**_head(_kebab(model.__name__)), **model.model_json_schema(schema_generator=WireSchema)}


def _one_of(name: str, models: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    found = definitions(models.values(), "#/$defs/{model}")
    refs = [{"$ref": f"#/$defs/{model.__name__}"} for model in models.values()]
    return {**_head(name), "oneOf": refs, "$defs": found}


def _records(group: str) -> dict[str, Any]:
    """Facts of a group of categories: `#/$defs/<category>` in mode content, `#/$defs/Existence` in mode existence."""
    models = {category: model_of(category, Mode.CONTENT) for category in Category if category.split(".")[0] == group}
    found = definitions([*models.values(), Existence], "#/$defs/{model}")
    named = {category.value: {"$ref": f"#/$defs/{model.__name__}"} for category, model in models.items()}
    return {**_head(f"record-{group}"), "$defs": {**named, **found}}


def _head(name: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:needtoknow:v1:{name}"}


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
