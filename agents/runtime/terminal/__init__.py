"""Commands typed at the agency that no other room has, and how every command is explained when it fails.

Thin: each asks the running program over its socket, or changes files of the home with nothing running. Which commands
there are is `cli`; those of alerts, the hub's policy and the review desk stand in those rooms.
"""
