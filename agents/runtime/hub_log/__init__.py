"""The hub's log as this agency holds it, and what a message proves by it: the mirror, kept current, and the checks.

Knows no record of the agency and no answer: that a request may be looked at at all is all that is decided here. What
the agency enters in its own log is `own_log`; which version of the hub's policy granted is `hub_policy`.
"""
