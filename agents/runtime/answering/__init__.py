"""A request on its way to its answer: the job's states, the instant it leaves, its sealing, the epoch's keys.

Refuses to know what is held, and who read it: outcomes come in decided (`gatekeeping`). What drives a job from one
state to the next is `worker`; what the hub says in between is `correspondent`.
"""
