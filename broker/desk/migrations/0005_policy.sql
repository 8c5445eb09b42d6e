-- Versions of the hub's policy as its information-governance lead handed them in: the signed statement, and its files.

CREATE TABLE policy_version (
    number INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    files BLOB NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;
