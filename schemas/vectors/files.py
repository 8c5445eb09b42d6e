"""Every generated file of `schemas/`, by its path within it: vectors, JSON Schemas, AsyncAPI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.asyncapi import asyncapi_text
from schemas.jsonschema import schema_files
from schemas.vectors.ceremony import enrolment_vectors, reply_vectors
from schemas.vectors.directories import directory_vectors
from schemas.vectors.formats import (
    Case,
    canonical_vectors,
    frame_vectors,
    identifier_vectors,
    member_vectors,
    padding_vectors,
)
from schemas.vectors.kept import kept_vectors
from schemas.vectors.keys import addendum_vectors, key_vectors, party_vectors, seal_vectors, signature_vectors
from schemas.vectors.ledger import ledger_vectors
from schemas.vectors.messages import entry_vectors, exchange_vectors, message_vectors
from schemas.vectors.names import name_vectors, nkey_vectors
from schemas.vectors.policies import glass_vectors, policy_grants, policy_vectors
from schemas.vectors.records import record_vectors

SCHEMAS: Final = Path(__file__).parents[1]
_HOW: Final = (
    "Each case is one fact. `expect` is `ok` or the failure code of SPEC 9 that it must end in. Names ending in _hex "
    "are hexadecimal; `raw`, `sealed` are base64. All keys are public and sign nothing else. `make vectors` writes "
    "this file again and changes nothing."
)


def vector_files() -> dict[str, str]:
    """The vectors as the text of each file."""
    files = {
        "canonical": ("SPEC 2.1, 2.2: canonical JSON, read with a limit of 1024 bytes.", canonical_vectors()),
        "members": ("SPEC 2.5: the member `d` cut out of the bytes of a canonical object.", member_vectors()),
        "identifiers": ("SPEC 2.6: identifiers as written, and their canonical form.", identifier_vectors()),
        "keys": ("SPEC 3.2: public keys and key ids.", key_vectors()),
        "signatures": ("SPEC 3.3: Ed25519 under the context of a purpose.", signature_vectors()),
        "seals": ("SPEC 3.4: HPKE, to be opened; content is padded unless the kind is addendum-key.", seal_vectors()),
        "padding": ("SPEC 3.5: lengths and buckets; padded texts to be opened.", padding_vectors()),
        "parties": ("SPEC 3.6: party files.", party_vectors()),
        "frames": ("SPEC 4.1: frames.", frame_vectors()),
        "messages": ("SPEC 2.2, 4.2, 5, 6: canonical texts, each read as `model`.", message_vectors()),
        "exchange": ("SPEC 5.4, 6.3: whole requests, grants and answers.", exchange_vectors()),
        "entries": ("SPEC 7.1: leaves; with `deed_public_hex` the deed's signature is verified too.", entry_vectors()),
        "addenda": ("SPEC 7.4: addenda, opened by key or by a reader's private key.", addendum_vectors()),
        "nkeys": ("SPEC 3.7: Ed25519 keys as NATS writes them.", nkey_vectors()),
        "directories": (
            "SPEC 10.1: directories with their lines, read a minute after T0 by who holds the vectors' parties.",
            directory_vectors(),
        ),
        "enrolments": ("SPEC 10.2: files in which an agency asks to be admitted.", enrolment_vectors()),
        "names": ("SPEC 10.2: names that a person takes for one another.", name_vectors()),
        "admissions": ("SPEC 10.3, 10.4: files that answer `request`, and the words over both.", reply_vectors()),
        "policies": (
            "SPEC 11: policy versions and their files, as they came a minute after T0; with `before`, the one before.",
            policy_vectors(),
        ),
        "policy_grants": (
            "SPEC 11.4: versions that an agency holds, a grant's policy and instant, and what its request states.",
            policy_grants(),
        ),
        "glasses": (
            "SPEC 11.5: a version's agreements.toml, and for how long a glass is broken under it.",
            glass_vectors(),
        ),
        "records": ("SPEC 6.2: facts of record categories.", record_vectors()),
    }
    texts = {f"vectors/{name}.json": _cases(about, cases) for name, (about, cases) in files.items()}
    ledger = {"about": "SPEC 7.2, 7.3: trees, proofs, notes, checkpoints, receipts. " + _HOW, **ledger_vectors()}
    kept = {"about": "Ciphertexts that the other files are made with; they are kept, since sealing is random."}
    texts["vectors/ledger.json"] = _text(ledger)
    texts["vectors/kept.json"] = _text({**kept, "texts": kept_vectors()})  # last: by now all have been asked for
    return texts


def generated_files() -> dict[str, str]:
    """Every generated file, by its path below `schemas/`."""
    return {**vector_files(), **schema_files(), "asyncapi.yaml": asyncapi_text()}


def stray_files() -> list[Path]:
    """Files that stand where only generated ones do, and were not generated."""
    wanted = {SCHEMAS / name for name in generated_files()}
    return sorted({*SCHEMAS.glob("vectors/*.json"), *SCHEMAS.glob("jsonschema/*.json")} - wanted)


def _cases(about: str, cases: Sequence[Case]) -> str:
    return _text({"about": f"{about} {_HOW}", "cases": cases})


def _text(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"
