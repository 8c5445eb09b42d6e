"""Admission: who is let in, and what the bus's servers, the agencies and the hub's own parties are told of it.

`program` puts it together, `config` is what can be set. Its rooms; each knows only those below it:

    rotation        the bus's own keys and authorities replaced while everything runs
    members         an agency admitted, renewed, suspended, expelled, and what is done for it unasked
    at_rest         what commands make in the homes of programs that are stopped: a bus, officers, roots
    books           what admission keeps, and the one way in which a step is committed
    checks          whether the servers are safe, by their files and as they run
    configuration   the files that servers of the bus start from
    servers         the servers that run: who holds which claims, who floods
    claims          what the accounts of the bus may do, and who signs that
    tls             the hub's authorities for certificates

It refuses to know requests, answers and cases: those are the coordinator's and the desk's.
"""
