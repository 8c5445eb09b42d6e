"""What every record is: a frozen, strict set of optional fields; and the one model of existence all categories share.

A record is made by an agency's mapping; a *fact* is the JSON object of a subset of its fields, after minimising.
Refuses to know the categories; the registry does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from schemas.records.fields import Email, Marker, Telephone, Text, YearMonth, noted

_OURS: Final = "needtoknow, a month is the most that existence may tell"
_ADR5: Final = "DfE SUI ADR-0005"
_DUTY: Final = "DfE SUI DutyContactDetails"


class Part(BaseModel):
    """A set of optional fields. Its repr and its errors show no value."""

    # Built at its first use: there are some eighty, and an agency's agent uses a dozen.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # On the wire a field is there with a value or missing; null is only how Python says missing.
        schema = handler(core_schema)
        for field in handler.resolve_ref_schema(schema).get("properties", {}).values():
            _take_null_away(field)
        return schema


def _take_null_away(field: dict[str, Any]) -> None:
    choices = [choice for choice in field.pop("anyOf", ()) if choice != {"type": "null"}]
    if "default" in field and field["default"] is None:
        del field["default"]
    if len(choices) == 1:
        field.update(choices[0])
    elif choices:
        field["anyOf"] = choices


class Record(Part):
    """What one category says in one mode. Subclasses name the fields that date it and the order of its one line."""

    dated_by: ClassVar[tuple[str, ...]] = ()
    """Fields that place the fact in a chronology; the first one present counts."""
    one_line: ClassVar[tuple[str, ...]] = ()
    """Fields of one line on a screen, in order."""

    def as_fact(self) -> dict[str, object]:
        """Return the fields that are held as a JSON object; what is not held is missing, never null."""
        return self.model_dump(mode="json", exclude_none=True)


class Contact(Part):
    """Whom to ring about a record."""

    worker: Text | None = noted("Name of the worker", "DfE SUI KeyWorker")
    team: Text | None = noted("Name of the team", "DfE SUI TeamInvolvement")
    telephone: Telephone | None = noted("Telephone of the worker or the duty desk", _DUTY)
    email: Email | None = noted("E-mail address of the worker or the duty desk", _DUTY)


class Existence(Record):
    """That an agency holds a category about a person, and whom to ring: known, worker, contact; nothing it says."""

    dated_by = ("latest_on", "earliest_on")
    one_line = ("held", "open", "contact", "latest_on")

    held: Literal[True] | None = noted("Such a record is held", _ADR5)
    open: bool | None = noted("The involvement is open now", _ADR5)
    earliest_on: YearMonth | None = noted("Month of the first record", _OURS)
    latest_on: YearMonth | None = noted("Month of the latest record", _OURS)
    contact: Annotated[Contact, Marker.OFFICER_CONTACT] | None = noted("Whom to ring", _DUTY)
