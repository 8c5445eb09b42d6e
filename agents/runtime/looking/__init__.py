"""Looking: the agency's own system asked, within limits, who is meant, what protects them, and what is held.

Refuses to say what of it may leave (`gatekeeping`) and to write anything down. Who of several is meant is `matching`.
"""
