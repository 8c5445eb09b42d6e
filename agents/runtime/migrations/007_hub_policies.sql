-- The versions of the hub's policy that this agency holds: a grant by any other is refused.
CREATE TABLE hub_policy (
    number INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    policy_digest TEXT NOT NULL,
    idx INTEGER NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;

CREATE TABLE hub_policy_files (
    policy_digest TEXT PRIMARY KEY,
    files BLOB NOT NULL
) STRICT;
