-- The newest directory of the hub that this party has taken, and the statements that the party has made of itself.

CREATE TABLE directory (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version INTEGER NOT NULL,
    frame BLOB NOT NULL,
    lines BLOB NOT NULL
) STRICT;

CREATE TABLE own_statement (
    digest TEXT PRIMARY KEY,
    serial INTEGER NOT NULL
) STRICT;
