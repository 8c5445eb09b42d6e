"""`python -m tests.benchmarks.matching_million PEOPLE`: a process that holds so many people and looks for some of them.

The index of a source (`PeopleIndex`, on disk beyond its cache) and the decision; reading a candidate's record is the
agency's own affair and not in the times. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import date, timedelta
from random import Random
from typing import Any

from agents.runtime.exports.people import PeopleIndex
from agents.runtime.exports.private import open_private
from agents.runtime.matching.deciding import Matched, Nobody, find_match
from agents.runtime.matching.weights import WEIGHTS_PATH
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from tests.benchmarks.child import resident_bytes
from tests.benchmarks.tables import percentile

QUERIES = 2_000
_OLDEST = date(1935, 1, 1)
_DAYS = 365 * 90


class Country:
    """People by number: the same number is the same person. Names are as common as the weights file says."""

    def __init__(self) -> None:
        shares: dict[str, dict[str, float]] = json.loads(WEIGHTS_PATH.read_bytes())["frequencies"]
        self._given = list(shares["given"]), list(shares["given"].values())
        self._family = list(shares["family"]), list(shares["family"].values())
        self._listed = sum(self._family[1])

    def person(self, number: int) -> LocalPerson:
        """A person of that number."""
        draws = Random(number)
        family = draws.choices(*self._family)[0] if draws.random() < self._listed else _rare(draws)
        name = PersonName(draws.choices(*self._given)[0], family)
        born = _OLDEST + timedelta(days=draws.randrange(_DAYS))
        unit = "".join(draws.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))
        postcode = f"ZZ{draws.randrange(1, 80)} {draws.randrange(10)}{unit}"
        address = PersonAddress(f"{draws.randrange(1, 90)} {_rare(draws)} Road", postcode)
        return LocalPerson(str(number), (name,), (born,), addresses=(address,))

    def query(self, number: int, draws: Random) -> PersonQuery:
        """The person as asked about: one in ten has no address, one in ten is written wrong, one in ten is not held."""
        person = self.person(number if draws.random() < 0.9 else 10**9 + number)
        name, addresses = person.names[0], person.addresses
        if draws.random() < 0.1:
            name = PersonName(name.given, name.family[:2] + name.family[3:])
        return PersonQuery((name,), person.birth_dates[0], addresses=addresses if draws.random() < 0.9 else ())


def _rare(draws: Random) -> str:
    return "".join(draws.choice("bdfgklmnprst") + draws.choice(("a", "e", "i", "o", "en", "or")) for _ in range(3))


def measure(people: int) -> dict[str, Any]:
    """Fill the index, look for some, and say what it took."""
    country = Country()
    owner = Country()
    database = open_private(owner)
    index = PeopleIndex(database)
    started = time.perf_counter()
    database.execute("BEGIN")
    for number in range(people):
        index.add(country.person(number))
    index.finish()
    filled_s = time.perf_counter() - started
    (pages,), (page_bytes,) = (database.execute(f"PRAGMA {word}").fetchone() for word in ("page_count", "page_size"))
    cpu: list[float] = []
    draws, times, candidates, outcomes = Random(1), [], [], {"matched": 0, "possible": 0, "nobody": 0, "wrong": 0}
    for _ in range(QUERIES):
        asked = draws.randrange(people)
        query = country.query(asked, draws)
        began, thread = time.perf_counter(), time.thread_time()
        refs = index.search(query)
        searched, busy = time.perf_counter() - began, time.thread_time() - thread
        held = [country.person(int(ref)) for ref in refs]
        began, thread = time.perf_counter(), time.thread_time()
        match = find_match(query, held)
        cpu.append(busy + time.thread_time() - thread)
        times.append(searched + time.perf_counter() - began)
        candidates.append(len(refs))
        if isinstance(match, Matched):
            outcomes["matched" if match.people[0].ref == str(asked) else "wrong"] += 1
        else:
            outcomes["nobody" if isinstance(match, Nobody) else "possible"] += 1
    return {
        "people": people,
        "fill s": filled_s,
        "index MB": pages * page_bytes / 1e6,
        "resident MB": resident_bytes(os.getpid()) / 1e6,
        "p50 ms": percentile(times, 0.5) * 1e3,
        "p99 ms": percentile(times, 0.99) * 1e3,
        "p50 CPU ms": percentile(cpu, 0.5) * 1e3,
        "p99 CPU ms": percentile(cpu, 0.99) * 1e3,
        "candidates": sum(candidates) / len(candidates),
        **outcomes,
    }


if __name__ == "__main__":
    json.dump(measure(int(sys.argv[1])), sys.stdout)
