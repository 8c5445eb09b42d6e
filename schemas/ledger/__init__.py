"""The mathematics and the texts of the sharing log: pure functions from bytes and integers to bytes or a named failure.

The tree is RFC 6962's; the texts are C2SP's, unchanged (signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof@v1,
tlog-tiles). What an entry says, where entries are kept and who must cosign is decided elsewhere.
"""
