"""Agencies as members: admitted, renewed, suspended, expelled; and what is done for them unasked.

`ceremony`, `renewing` and `standings` are the steps, `commands` and `correspondent` the doors they come in by, `upkeep`
what ends soon, `restored` what must wait after a restore. Refuses to know servers, and the keys of the bus itself.
"""
