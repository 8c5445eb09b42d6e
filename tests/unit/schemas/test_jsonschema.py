"""The JSON Schemas: valid themselves, and taking what the models take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.jsonschema import schema_files
from schemas.records.registry import model_of
from schemas.vectors.files import SCHEMAS
from schemas.vocabulary import Category, Mode
from tests.unit.schemas.records.samples import sample_of
from tests.vectors.runners import MODELS

FILES: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in schema_files().items()}
SHAPE = {
    "version_unknown",
    "suite_unknown",
    "kind_unexpected",
    "field_unknown",
    "field_missing",
    "field_wrong_type",
    "word_unknown",
}
"""Failures that a schema can see; what is `field_invalid` it sees only in part."""


def schema(name: str, definition: str | None = None) -> Draft202012Validator:
    whole = FILES[f"jsonschema/{name}.json"]
    return Draft202012Validator(whole if definition is None else {**whole, "$ref": f"#/$defs/{definition}"})


def file_of(model: str) -> str:
    """The file of a model: its name in small letters with hyphens."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in model).lstrip("-")


def vectors(file: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((SCHEMAS / f"vectors/{file}.json").read_text(encoding="utf-8"))["cases"]
    return cases


def refs(value: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def leads_somewhere(document: Any, ref: str) -> bool:
    """Whether a local reference names something that is there."""
    if not ref.startswith("#/"):
        return False
    for step in ref[2:].split("/"):
        if not isinstance(document, dict) or step not in document:
            return False
        document = document[step]
    return True


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_schema_is_a_valid_one_and_no_reference_dangles(name: str) -> None:
    Draft202012Validator.check_schema(FILES[name])
    assert not [ref for ref in refs(FILES[name]) if not leads_somewhere(FILES[name], ref)]


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_object_of_a_message_is_open(name: str) -> None:
    def objects(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if value.get("type") == "object":
                yield value
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                yield from objects(inner)

    assert not [one for one in objects(FILES[name]) if one.get("additionalProperties") is not False]


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_schema_takes_and_refuses_what_reading_does(model: str) -> None:
    taken = schema(file_of(model)).is_valid
    for case in vectors("messages"):
        if case["model"] == model and case["expect"] in {"ok", *SHAPE}:
            assert taken(json.loads(case["text"])) is (case["expect"] == "ok"), case["name"]


def test_outer_messages_and_entries_are_one_of_their_kinds() -> None:
    for case in vectors("messages"):
        if case["model"] == "Outer" and case["expect"] in {"ok", *SHAPE}:
            assert schema("outer").is_valid(json.loads(case["text"])) is (case["expect"] == "ok"), case["name"]
    for case in vectors("entries"):
        if case["expect"] in {"ok", *SHAPE}:
            assert schema("entry").is_valid(json.loads(case["leaf"])) is (case["expect"] == "ok"), case["name"]


@pytest.mark.parametrize("category", list(Category))
def test_a_full_record_of_every_category_fits_its_schema(category: Category) -> None:
    validator = schema(f"record-{category.split('.')[0]}", category.value)
    fact = json.loads(json.dumps(sample_of(model_of(category, Mode.CONTENT)).as_fact()))
    assert validator.is_valid(fact)
    assert validator.is_valid({})
    assert not validator.is_valid({**fact, "more": 1})
    for name in fact:
        assert not validator.is_valid({**fact, name: None})


def test_facts_that_fit_no_model_fit_no_schema_where_a_shape_can_say_so() -> None:
    beyond_a_shape = {"a day that is none", "an identifier with a wrong check letter"}
    for case in vectors("records"):
        name = case["category"] if case["mode"] == Mode.CONTENT else "Existence"
        taken = schema(f"record-{case['category'].split('.')[0]}", name).is_valid(case["fact"])
        assert taken is (case["expect"] == "ok" or case["name"] in beyond_a_shape), case["name"]
