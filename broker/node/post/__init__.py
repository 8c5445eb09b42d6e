"""Messages in and out of a node, at least once on the way and exactly once in effect (DESIGN section 4).

`intake` makes bytes into a checked message; `outbox` keeps what was said until it is acknowledged; `inbox` remembers
what was answered; `office` is the one door through which both go.
"""
