-- What the hub has told this agency's information-governance lead, until the lead has seen it. `idx` is the entry's
-- place in the hub's log; the addendum is sealed to the lead, and empty where the hub has erased it.
CREATE TABLE alert (
    idx INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    exchange TEXT NOT NULL,
    entry_at INTEGER NOT NULL,
    came_at INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    addendum BLOB NOT NULL,
    told_at INTEGER,
    seen_at INTEGER
) STRICT;
