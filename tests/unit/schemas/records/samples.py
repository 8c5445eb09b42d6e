"""A full sample of any record model, made from its annotations: every field there, every value valid."""

from __future__ import annotations

from enum import Enum
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from schemas.records import fields, social_care
from schemas.records.record import Part

R = TypeVar("R", bound=Part)

_VALUES: dict[Any, Any] = {
    fields.Text: "Example",
    fields.FreeText: "Two lines\nof words: naïve, 家.",
    fields.Code: "AB/12",
    fields.Count: 3,
    fields.PercentTenths: 934,
    fields.Pence: 12_050,
    fields.UkPostcode: "ZZ1 1AA",
    fields.Telephone: "01632 960123 x12",
    fields.Email: "duty@hub.example",
    fields.IsoDate: "2026-02-28",
    fields.YearMonth: "2026-02",
    fields.Moment: "2026-02-28T09:30:00Z",
    fields.NhsNumber: "9990000018",
    fields.Upn: "H801200001001",
    fields.Pnc: "2008/0545166T",
    fields.Cro: "029906/12J",
    fields.Crn: "X000012",
    fields.Noms: "A1234AA",
    social_care.ReferralSourceCode: "1A",
    social_care.PrimaryNeed: "N1",
    social_care.ClosureReason: "RC8",
    social_care.AssessmentFactor: "16A",
    bool: True,
}


def sample_of(model: type[R]) -> R:
    """Return a record with every field filled."""
    hints = get_type_hints(model, include_extras=True)
    return model(**{name: _sample(hints[name]) for name in model.model_fields})


def _sample(annotation: Any) -> Any:
    if annotation in _VALUES:
        return _VALUES[annotation]
    origin = get_origin(annotation)
    if origin is Annotated:
        inner = annotation.__origin__
        if inner is int:
            return 2
        return _sample(Annotated[inner, *annotation.__metadata__[:-1]] if len(annotation.__metadata__) > 1 else inner)
    if origin is Literal:
        return get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return sample_of(annotation)
    if origin is tuple:
        return (_sample(get_args(annotation)[0]),)
    return _sample(next(choice for choice in get_args(annotation) if choice is not NoneType))
