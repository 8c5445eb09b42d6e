"""The bus's own keys and authorities replaced while everything runs, so that nobody is cut off.

`operator_keys`, `authority` and `own_keys` each own an order of steps; `steps` has it in the hub's log, `rotations`
runs one at a time, `commands` is the door. Refuses to know how agencies replace their own keys (`members.renewing`).
"""
