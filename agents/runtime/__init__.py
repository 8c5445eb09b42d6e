"""What every agency's agent does; knows no agency.

Its rooms, in the order in which a request passes through them:

`hub_log`      the hub's log as held here, and the numbered checks of what comes in
`hub_policy`   the versions of the hub's policy, by which grants are believed
`looking`      the agency's own system asked: who is meant, what protects them, what is held
`matching`     who of the local records is the person asked about
`gatekeeping`  what of it may leave, by the rules of `policy`
`review`       a person reads what the rules set apart, and takes away
`answering`    the job, the instant, the sealed answer
`alerts`       what the agency's information-governance lead is told

and those that no request passes: `home` (made and admitted), `inspection` (doctor, status, try), `terminal` (other
commands), `exports` (for a source that reads folders of files), `migrations` (the store's tables).

The modules beside them join the rooms: `correspondent` takes each message, `worker` drives each job, `agent` wires
both, `program` and `cli` run it, `own_log` is written by most. Who writes an adapter needs `source`, `spent`,
`agency`, `settings` and `cli`.
"""
