"""Training the weights that matching adds up: Splink learns, `agents.runtime.matching` only reads what it learnt.

`python -m agents.training FOLDER` needs the extra `[training]`. No agent imports anything of this package, and it is
the only one that knows Splink. Nicknames, spellings and the commonness of names lie beside it as text.

`names.csv` says what share of people bears a name: family names of England and Wales from the Office for National
Statistics' baby-name returns as Faker carries them (MIT; `ons`), given names of the United States' census of 1990
(public domain; `census`), and our own estimates (`own`), set high on purpose, for names common among families of
Muslim, South Asian, African and Polish background and for today's children: the commoner a name is held to be, the
more else has to agree. `nicknames.txt` and `spellings.txt` are our own.
"""
