"""The files that servers of the bus start from, at the hub and as an agency's leaf.

`server` and `leaf` say what stands in them, `files` writes a server's folder, `names` keeps which servers there are to
be. Refuses to know agencies (none is in a configuration) and servers that run.
"""
