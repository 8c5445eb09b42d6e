"""What desk, coordinator and agent all run unchanged: store, log, key store, bus, outbox, inbox, local commands.

The only part of `broker` that `agents` may import. Entry test: do all three run it unchanged?
"""
