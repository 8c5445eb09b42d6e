"""A name made ready to be looked for agrees with just those held names that a comparison one by one agrees with."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from agents.runtime.matching.candidates import folded_named, folded_share
from agents.runtime.matching.names import FoldedName
from agents.runtime.matching.sought import SoughtName
from agents.runtime.matching.text import words_of
from agents.runtime.matching.weights import shipped_weights

WORDS = (
    *("jo", "ann", "joann", "joan", "d", "de", "declan", "delcan", "james", "william", "bill", "will", "muhammad"),
    *("mohammed", "ali", "thomas", "tom", "rawstron", "rawston", "smith", "jones", "kowalska", "kowalski", "zawadzka"),
    *("hussain", "hossein", "oneill", "neill", "o", "محمد", "кузнецов", "kuznetsov", "smithjones", "abdulrahman"),
)
words = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=8).map(
    lambda text: "".join(words_of(text))
)
parts = st.lists(words.filter(bool), max_size=3).map(tuple)
names = st.builds(FoldedName, parts, parts)


@given(names, st.lists(names, max_size=6))
@example(FoldedName(("jo", "ann"), ()), [FoldedName(("joann", "lee"), ())])
@example(FoldedName(("joann",), ()), [FoldedName(("jo", "ann"), ())])
@example(FoldedName((), ("kowalska",)), [FoldedName((), ("kowalski",))])
@example(FoldedName((), ("hussain",)), [FoldedName((), ("hossein", "khan"))])
@example(FoldedName(("rawstron",), ("declan",)), [FoldedName(("declan", "james"), ("rawstron",))])
def test_a_sought_name_agrees_as_names_compared_one_by_one_do(asked: FoldedName, held: list[FoldedName]) -> None:
    sought = SoughtName(asked, shipped_weights().forms)
    rows = [(at, " ".join(one.family), " ".join(one.given)) for at, one in enumerate(held)]
    assert sought.sharing(rows) == [at for at, one in enumerate(held) if folded_share(asked, one)]
    assert sought.named(rows) == [at for at, one in enumerate(held) if folded_named(asked, one)]
