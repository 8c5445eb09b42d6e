"""Rules about the whole tree that no single module can keep: who may import whom, sizes, words, what may be committed.

`make lint` runs the import contracts of `pyproject.toml`; what import-linter cannot say is tested here.
"""
