"""Identifiers: vectors of DOMAIN section 3.1, edge rules, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.failures import Disposition
from schemas.identifiers import (
    POLICE_CHECK_LETTERS,
    UPN_LETTERS,
    Identifier,
    IdentifierInvalid,
    IdentifierKind,
    Rule,
    canonical_identifier,
    parse_identifier,
)

NHS, UPN, PNC, CRO, CRN, NOMS = IdentifierKind

VALID = [
    (NHS, "9434765919", "9434765919"),
    (NHS, "9691292211", "9691292211"),
    (NHS, "9990000018", "9990000018"),
    (NHS, "943 476 5919", "9434765919"),
    (NHS, "943-476-5919", "9434765919"),
    (NHS, " 9434765919 ", "9434765919"),
    (UPN, "H801200001001", "H801200001001"),
    (UPN, "h801200001001", "H801200001001"),
    (UPN, "G80120000101A", "G80120000101A"),
    (PNC, "2008/0545166T", "2008/0545166T"),
    (PNC, "2012/0394773H", "2012/0394773H"),
    (PNC, "81/34U", "1981/0000034U"),
    (PNC, "02/73319Z", "2002/0073319Z"),
    (PNC, "0273319Z", "2002/0073319Z"),
    (PNC, "79163001B", "1979/0163001B"),
    (PNC, "033Y", "2003/0000003Y"),
    (PNC, "20030011985X", "2003/0011985X"),
    (PNC, "19790163001B", "1979/0163001B"),
    (PNC, "2008/545166t", "2008/0545166T"),
    (CRO, "029906/12J", "029906/12J"),
    (CRO, "65656/91H", "065656/91H"),
    (CRO, "SF05/482703J", "SF05/482703J"),
    (CRO, "SF83/50058Z", "SF83/50058Z"),
    (CRO, "SF83/4661E", "SF83/4661E"),
    (CRO, "SF83/04661E", "SF83/4661E"),
    (CRO, "SF94/2867G", "SF94/2867G"),
    (CRN, "X000012", "X000012"),
    (CRN, "a123456", "A123456"),
    (NOMS, "A1234AA", "A1234AA"),
]

INVALID = [
    (NHS, "", Rule.SHAPE),
    (NHS, "943476591", Rule.SHAPE),
    (NHS, "94347659190", Rule.SHAPE),
    (NHS, "943 4765919", Rule.SHAPE),
    (NHS, "943-476 5919", Rule.SHAPE),
    (NHS, "9434765919\n", Rule.SHAPE),
    (NHS, "٩٤٣٤٧٦٥٩١٩", Rule.SHAPE),
    (NHS, "\u202e9434765919", Rule.SHAPE),
    (NHS, "9434765918", Rule.CHECK),
    *[(NHS, f"999000000{check}", Rule.CHECK) for check in range(10)],
    *[(NHS, str(digit) * 10, Rule.PLACEHOLDER) for digit in range(10)],
    (UPN, "A801200001001", Rule.CHECK),
    (UPN, "H80120000100", Rule.SHAPE),
    (UPN, "I801200001001", Rule.SHAPE),
    (UPN, "G80120000101I", Rule.SHAPE),
    (UPN, "UN1", Rule.SHAPE),
    (UPN, "A000000000000", Rule.PLACEHOLDER),
    (PNC, "20030011985Z", Rule.CHECK),
    (PNC, "2001/0171310S", Rule.CHECK),
    (PNC, "1X23/1234567A", Rule.SHAPE),
    (PNC, "1923[1234567A", Rule.SHAPE),
    (PNC, "1923/1234567AA", Rule.SHAPE),
    (PNC, "1008/0545166T", Rule.SHAPE),
    (PNC, "008/0545166T", Rule.SHAPE),
    (PNC, "2008/10545166T", Rule.SHAPE),
    (PNC, "2008545166T", Rule.SHAPE),
    (PNC, "200812345T", Rule.AMBIGUOUS),
    (PNC, "2000/0000000C", Rule.PLACEHOLDER),
    (CRO, "85227/65G", Rule.CHECK),
    (CRO, "029906/2012J", Rule.SHAPE),
    (CRO, "SF83/1234567Z", Rule.SHAPE),
    (CRO, "SF83/050058Z", Rule.CHECK),
    (CRO, "0/23Z", Rule.PLACEHOLDER),
    (CRN, "X00001", Rule.SHAPE),
    (CRN, "XX00001", Rule.SHAPE),
    (CRN, "X000000", Rule.PLACEHOLDER),
    (NOMS, "A1234A", Rule.SHAPE),
    (NOMS, "A0000AA", Rule.PLACEHOLDER),
    (NOMS, "A" * 10_000, Rule.SHAPE),
]


@pytest.mark.parametrize(("kind", "text", "canonical"), VALID)
def test_a_valid_text_has_one_canonical_form(kind: IdentifierKind, text: str, canonical: str) -> None:
    assert parse_identifier(kind, text) == Identifier(kind, canonical)
    assert canonical_identifier(kind, canonical) == canonical


@pytest.mark.parametrize(("kind", "text", "rule"), INVALID)
def test_a_refused_text_is_told_its_rule_and_never_repeated(kind: IdentifierKind, text: str, rule: Rule) -> None:
    with pytest.raises(IdentifierInvalid) as refused:
        parse_identifier(kind, text)
    assert (refused.value.kind, refused.value.rule) == (kind, rule)
    assert refused.value.disposition is Disposition.REJECT
    assert len(text) < 4 or text not in str(refused.value)


def _police_letter(digits: str) -> str:
    return POLICE_CHECK_LETTERS[int(digits) % 23]


def _upn(digits: str) -> str:
    return UPN_LETTERS[sum(int(d) * w for d, w in zip(digits, range(2, 14), strict=True)) % 23] + digits


def _nhs(nine: str) -> str:
    return nine + str(-sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11)


def _digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length).filter(lambda text: len(set(text)) > 1)


_YEARS = st.integers(1900, 2099).map(str)
CHECKED = st.one_of(
    st.tuples(st.just(NHS), _digits(9).map(_nhs).filter(lambda text: len(text) == 10)),
    st.tuples(st.just(UPN), _digits(12).map(_upn)),
    st.tuples(_YEARS, _digits(7)).map(lambda ys: (PNC, f"{ys[0]}/{ys[1]}{_police_letter(ys[0][2:] + ys[1])}")),
    st.tuples(_digits(6), _digits(2)).map(lambda sy: (CRO, f"{sy[0]}/{sy[1]}{_police_letter(sy[1] + sy[0])}")),
    st.tuples(_digits(2), _digits(6)).map(lambda ys: (CRO, f"SF{ys[0]}/{ys[1]}{_police_letter(ys[0] + ys[1])}")),
)


@given(CHECKED, st.data())
def test_a_single_changed_digit_never_passes(checked: tuple[IdentifierKind, str], data: st.DataObject) -> None:
    kind, text = checked
    assert canonical_identifier(kind, text) == text
    place = data.draw(st.sampled_from([index for index, character in enumerate(text) if character.isdigit()]))
    other = data.draw(st.sampled_from(sorted(set("0123456789") - {text[place]})))
    with pytest.raises(IdentifierInvalid):
        canonical_identifier(kind, text[:place] + other + text[place + 1 :])


@given(CHECKED, st.data())
def test_another_check_letter_never_passes(checked: tuple[IdentifierKind, str], data: st.DataObject) -> None:
    kind, text = checked
    letters = [index for index, character in enumerate(text) if character.isalpha() and character not in "SF"]
    if letters:
        place = letters[-1]
        other = data.draw(st.sampled_from(sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") - {text[place]})))
        with pytest.raises(IdentifierInvalid):
            canonical_identifier(kind, text[:place] + other + text[place + 1 :])


_ODD_TEXT = st.one_of(
    st.text(),
    st.text("0123456789/- ABCSFTZ\u0660\u0665\uff11\u202e\u200f\u00df\u0131", max_size=16),
)


@given(st.sampled_from(IdentifierKind), _ODD_TEXT)
def test_any_text_is_an_identifier_or_refused_as_one(kind: IdentifierKind, text: str) -> None:
    try:
        identifier = parse_identifier(kind, text)
    except IdentifierInvalid:
        return
    assert identifier.value.isascii()
    assert canonical_identifier(kind, identifier.value) == identifier.value


def test_an_identifier_cannot_be_built_in_another_form_than_the_canonical() -> None:
    with pytest.raises(IdentifierInvalid):
        Identifier(PNC, "08/545166T")


def test_the_repr_of_an_identifier_hides_its_value() -> None:
    assert "9434765919" not in repr(Identifier(NHS, "9434765919"))
