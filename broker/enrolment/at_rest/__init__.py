"""What commands make or replace in the homes of programs that are stopped.

`founding` makes a bus, `officers` an officer's keys, `certificates` what ended while nobody ran, `roots` a party's
root. Refuses to know running programs: what they replace themselves is in `rotation` and `members`.
"""
