"""Who of the local records is the person asked about.

`text` folds what is written, `names`, `dates` and `places` compare, `weights` holds what each agreement is worth,
`scoring` adds it up, `guards` say what no sum may overrule, `deciding` gives the three outcomes, `candidates` says whom
a source has to name, `tries` keeps the outcomes from being used to guess. Nothing here knows what is held.
"""
