"""What may leave: the agency's own decision, a person's ruling on it, what is taken away, and the outcome of each.

Asks no source, no store and no bus: what was found comes in, what is left goes out. The rules are in `policy`.
"""
