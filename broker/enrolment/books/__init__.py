"""What admission keeps, and the one way in which a step of it is committed.

`records` are its tables, `register` who is who by them, `to_hold` what servers must hold for it, `directory` what
everybody is given, `deeds` the entries of the hub's log; `room` commits all of that as one. Decides nothing about
anybody.
"""
