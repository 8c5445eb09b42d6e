"""Questions about the agent itself: would it run, how does it stand, what would it answer to this. Changes nothing.

Nothing that is asked here is sent, and no entry is made of it. What is typed for it and not asked of the agent (backup,
keys) is `terminal`'s.
"""
