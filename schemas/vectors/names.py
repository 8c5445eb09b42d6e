"""Vectors of names: keys as NATS writes them, and names that a person takes for one another."""

from __future__ import annotations

from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.vectors.formats import Case
from schemas.vectors.parties import (
    AGENCY,
    drawn,
    signing_key,
)


def nkey_vectors() -> list[Case]:
    """nkeys of the vectors' bus keys, and texts that are none."""
    cases: list[Case] = []
    for purpose, kind in nkey.KIND_OF.items():
        key = SigningKey.from_seed(purpose, drawn(f"nkey/{purpose}", 32)).public
        named = {"name": purpose.value, "kind": kind.value, "nkey": nkey.of(key), "public_hex": key.raw.hex()}
        cases.append({**named, "expect": "ok"})
    sound = nkey.of(signing_key(AGENCY, KeyPurpose.BUS_ACCOUNT).public)
    broken = {
        "another kind's": nkey.encode(nkey.Kind.USER, signing_key(AGENCY, KeyPurpose.BUS_USER).public.raw),
        "a letter changed": sound[:20] + ("B" if sound[20] != "B" else "C") + sound[21:],
        "small letters": sound.lower(),
        "a letter short": sound[:-1],
        "padded": sound + "=",
        "a digit that base32 has not": sound[:-1] + "1",
        "of a point of order 4": nkey.encode(nkey.Kind.ACCOUNT, bytes(32)),
    }
    cases += [{"name": name, "kind": "A", "nkey": text, "expect": "key_malformed"} for name, text in broken.items()]
    return cases


def name_vectors() -> list[Case]:
    """Pairs of names: a newcomer's and one that is there; those that read alike are refused."""
    alike = [
        ("example-police", "examplepolice"),
        ("example-police", "example-po1ice"),
        ("example-police", "exampie-poilce"),
        ("example-police", "exarnple-police"),
        ("example-housing", "examp1e-h0using"),
        ("westshire-fire", "vvestshire-fire"),
        ("zone-2", "zone-z"),
        ("unit-5", "units"),
    ]
    apart = [
        ("school-3", "school-4"),
        ("north-police", "south-police"),
        ("example-police", "example-polices"),
        ("a", "b"),
    ]
    cases: list[Case] = [
        {"name": f"{one} and {other}", "newcomer": one, "known": other, "expect": "name_confusable"}
        for one, other in alike
    ]
    return [
        *cases,
        *({"name": f"{one} and {other}", "newcomer": one, "known": other, "expect": "ok"} for one, other in apart),
    ]
