"""`python -m agents.training FOLDER`: learn the weights file from labelled people, and keep what Splink says of others.

FOLDER has `learn-*.csv` to learn from and `judge-*.csv` to be judged by, in the form of `agents.training.labelled`.
Written are the weights, a fixture of pairs that Splink scored (a test holds the agents' scorer against it), and what
Splink by itself makes of the sets it did not learn from (the benchmarks print it beside the agents').
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agents.runtime.matching.weights import WEIGHTS_PATH, read_weights
from agents.training.labelled import LabelledRecord, read_labelled, write_labelled
from agents.training.pairs import outcome_of, pairs_of, spread
from agents.training.train import Chances, learn, score_pairs, weights_file

FIXTURE_PAIRS = 300
"""Of one person, and as many of two: from each set an equal part."""


def main() -> int:
    """Learn, score, write."""
    parser = argparse.ArgumentParser(prog="python -m agents.training", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS_PATH)
    parser.add_argument("--fixture", type=Path, required=True, help="pairs that Splink scored")
    parser.add_argument("--outcomes", type=Path, required=True, help="what Splink makes of the sets to be judged by")
    chosen = parser.parse_args()
    learnt = sorted(chosen.folder.glob("learn-*.csv"))
    records = [replace(one, person=f"{path.stem}/{one.person}") for path in learnt for one in read_labelled(path)]
    raw = weights_file(learn(records), [path.stem for path in learnt])
    weights = read_weights(raw)
    chosen.weights.write_bytes(raw)
    chances = {
        name: {level: (each["m"], each["u"]) for level, each in levels.items()}
        for name, levels in json.loads(raw)["fields"].items()
    }
    judged = sorted(chosen.folder.glob("judge-*.csv"))
    outcomes, fixture = {}, []
    for path in judged:
        told, some = _judge(read_labelled(path), chances, weights.release_from, FIXTURE_PAIRS // len(judged))
        outcomes[path.stem.removeprefix("judge-")] = told
        fixture += some
    chosen.fixture.write_text(_lines({"weights": weights.digest, "pairs": fixture}))
    chosen.outcomes.write_text(json.dumps({"weights": weights.digest, "sets": outcomes}, indent=1) + "\n")
    sys.stdout.write(f"{weights.digest}\n{json.dumps(outcomes, indent=1)}\n")
    return 0


def _judge(
    records: Sequence[LabelledRecord], chances: Chances, release_from: float, most: int
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    pairs = pairs_of(records)
    scored = score_pairs(records, pairs, chances)
    told = asdict(outcome_of(records, {pair: weight for pair, (weight, _) in scored.items()}, release_from))
    of_one = [pair for pair in pairs if records[pair[0]].person == records[pair[1]].person]
    of_two = [pair for pair in pairs if records[pair[0]].person != records[pair[1]].person]
    of_two.sort(key=lambda pair: scored[pair][0])
    # Of two people mostly the likest, since most others agree in nothing.
    chosen = [*spread(of_one, most), *of_two[-most // 2 :], *spread(of_two, most - most // 2)]
    fixture = [
        {
            "one": _row(records[one]),
            "other": _row(records[other]),
            "weight": round(scored[one, other][0], 9),
            "levels": scored[one, other][1],
        }
        for one, other in chosen
    ]
    return told, fixture


def _row(record: LabelledRecord) -> list[str]:
    """A record as the values of its line, without whose it is."""
    written = io.StringIO()
    write_labelled([replace(record, person="")], written)
    return next(csv.reader([written.getvalue().splitlines()[1]]))


def _lines(fixture: dict[str, Any]) -> str:
    pairs = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in fixture["pairs"])
    return f'{{"weights": "{fixture["weights"]}", "pairs": [\n{pairs}\n]}}\n'


if __name__ == "__main__":
    sys.exit(main())
