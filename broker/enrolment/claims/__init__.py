"""What each account of the bus may do, as claims that servers enforce, and the keys that sign them.

`accounts` and `operator` make claims, `check` says whether a text is exactly what they make, `keys` holds the keys that
no statement names. Refuses to know who is admitted (`books`) and how claims reach a server (`servers`).
"""
