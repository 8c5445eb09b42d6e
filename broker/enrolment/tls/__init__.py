"""The hub's own authorities for TLS, and what its parties connect with by them.

`authority` is one and signs, `authorities` are all that are trusted, on disk, `access` gives a party its files.
Refuses to know who is admitted, and when an authority is replaced (`rotation`).
"""
