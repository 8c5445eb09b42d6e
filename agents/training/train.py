"""Learning the chances of each level from labelled people with Splink, and scoring pairs with it.

The chance between records of one person (`m`) comes from the labels, that between records of two (`u`) from pairs at
random. What cannot be learnt from a few thousand people is set here, and said why.
"""

from __future__ import annotations

import csv
import json
import logging
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from agents.runtime.matching.names import FormGroups, Forms
from agents.runtime.matching.scoring import describe_person
from agents.training.columns import TYPES, columns_of
from agents.training.labelled import LabelledRecord
from agents.training.model import COUNTED, LEVELS, settings

Chances: TypeAlias = Mapping[str, Mapping[str, tuple[float, float]]]

PRIOR: Final = 1e-6
"""One record among a million: what an agency of a county holds. Smaller agencies are matched more carefully for it."""
RELEASE_FROM: Final = 0.999
POSSIBLE_FROM: Final = 0.002
"""Low: a person of a very common name without a date of birth is still possible; the guards keep the rest out."""
SAME_NUMBER_U: Final = 1e-10
"""Two people under one number whose check digit holds: say one record in ten thousand has another's, among 6*10^7."""
SAME_UNCHECKED_U: Final = 1e-7
"""A slip of the pen in a number without a check digit, one in a hundred, is mostly somebody's number."""
SEEN_LEAST: Final = 1e-5
"""What a level that was never met counts as."""
_PAIRS: Final = 30_000_000
_SEED: Final = 1
_HERE: Final = Path(__file__).parent


def learn(records: Sequence[LabelledRecord]) -> dict[str, dict[str, tuple[float, float]]]:
    """The chances (m, u) of every level of every field."""
    _, _, linker = _linker(records, settings(None, PRIOR))
    linker.training.estimate_u_using_random_sampling(max_pairs=_PAIRS, seed=_SEED)
    linker.training.estimate_m_from_label_column("person")
    model = linker.misc.save_model_to_json()
    chances = {
        field["output_column_name"]: {
            level["label_for_charts"]: (_seen(level.get("m_probability")), _seen(level.get("u_probability")))
            for level in field["comparison_levels"]
            if not level.get("is_null_level")
        }
        for field in model["comparisons"]
    }
    same = chances["number"]["same"][0]
    chances["number"]["same"] = (same, SAME_NUMBER_U)
    chances["number"]["unchecked"] = (same, SAME_UNCHECKED_U)
    return chances


def score_pairs(
    records: Sequence[LabelledRecord], pairs: Iterable[tuple[int, int]], chances: Chances
) -> dict[tuple[int, int], tuple[float, dict[str, str | None]]]:
    """Splink's weight and levels of pairs of records, by their places in the sequence."""
    connection, api, linker = _linker(records, settings(chances, PRIOR))
    shares = frequencies()
    for column in sorted(set(COUNTED.values())):
        connection.execute(f"CREATE TABLE shares_{column} ({column} VARCHAR, tf_{column} DOUBLE)")
        rows = list(shares[column.partition("_")[0]].items())
        connection.executemany(f"INSERT INTO shares_{column} VALUES (?, ?)", rows)  # noqa: S608 - our own names
        linker.table_management.register_term_frequency_lookup(api.register(f"shares_{column}"), column)
    connection.execute("CREATE TABLE wanted (match_key VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")
    wanted = sorted({(min(pair), max(pair)) for pair in pairs})
    _insert(connection, "wanted", [("0", one, other) for one, other in wanted])
    linker.table_management.register_blocked_pairs_for_predict(api.register("wanted"))
    table = linker.inference.predict().physical_name
    gammas = ", ".join(f"gamma_{field}" for field in LEVELS)
    scored = connection.execute(f"SELECT unique_id_l, unique_id_r, match_weight, {gammas} FROM {table}")  # noqa: S608
    return {
        (one, other): (weight, {field: _level_at(field, at) for field, at in zip(LEVELS, levels, strict=True)})
        for one, other, weight, *levels in scored.fetchall()
    }


def forms() -> Forms:
    """The spellings and nicknames that lie beside this module."""
    return Forms(FormGroups(groups("spellings")), FormGroups(groups("nicknames")))


def groups(kind: str) -> list[list[str]]:
    """The groups of one list of forms."""
    lines = (_HERE / f"{kind}.txt").read_text("utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def frequencies() -> dict[str, dict[str, float]]:
    """What share of all people bears a name."""
    found: dict[str, dict[str, float]] = {"given": {}, "family": {}}
    with (_HERE / "names.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["part"]][row["name"]] = float(row["share"])
    return found


def weights_file(chances: Chances, trained_on: Sequence[str]) -> bytes:
    """The weights file, byte for byte the same for the same chances."""
    import splink

    written = {
        "version": 1,
        "trained_with": f"splink {splink.__version__}",
        "trained_on": list(trained_on),
        "prior": PRIOR,
        "release_from": RELEASE_FROM,
        "possible_from": POSSIBLE_FROM,
        "fields": {
            field: {level: {"m": _short(m), "u": _short(u)} for level, (m, u) in levels.items()}
            for field, levels in chances.items()
        },
        "frequencies": frequencies(),
        "forms": {"spellings": groups("spellings"), "nicknames": groups("nicknames")},
    }
    # A group of forms a line, so that a person can read what changed.
    text = re.sub(r"\[\s+(\"[^\[\]]*\")\s+\]", _on_one_line, json.dumps(written, ensure_ascii=False, indent=1))
    return f"{text}\n".encode()


def _on_one_line(found: re.Match[str]) -> str:
    return f"[{', '.join(found[1].split(maxsplit=-1)).replace(',,', ',')}]"


def _linker(records: Sequence[LabelledRecord], model: dict[str, Any]) -> tuple[Any, Any, Any]:
    """A connection, Splink's interface to it and Splink's linker on the records, in a database that is nowhere."""
    import duckdb
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    connection = duckdb.connect(":memory:")
    connection.execute("SET threads = 1")  # the same sample, and so the same weights, every time
    connection.execute(f"CREATE TABLE people ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})")
    known = forms()
    described = (describe_person(one.as_person("")) for one in records)
    _insert(
        connection,
        "people",
        [columns_of(at, records[at].person, one, known) for at, one in enumerate(described)],
    )
    api = DuckDBAPI(connection)
    return connection, api, Linker(api.register("people"), model, log_level=logging.ERROR)


def _insert(connection: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows by way of JSON, which DuckDB reads a hundred times faster than bound values."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        names = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
        path.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))
        kinds = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
        read = f"read_json('{path}', format='newline_delimited', columns={{{columns}}})"
        connection.execute(f"INSERT INTO {table} SELECT * FROM {read}")  # noqa: S608 - our own names


def _level_at(field: str, gamma: int) -> str | None:
    """The level that Splink's number says: the last is 0, and nothing said is -1."""
    return None if gamma < 0 else list(LEVELS[field])[-1 - gamma]


def _seen(chance: Any) -> float:
    return min(max(float(chance), SEEN_LEAST), 1 - SEEN_LEAST) if isinstance(chance, float) else SEEN_LEAST


def _short(chance: float) -> float:
    return float(f"{chance:.6g}")
