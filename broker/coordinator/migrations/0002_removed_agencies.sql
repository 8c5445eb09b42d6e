-- The newest statement of every agency that was ever a member: what one sends that was removed is known for what it is.
CREATE TABLE agency_statement (
    party TEXT PRIMARY KEY,
    statement BLOB NOT NULL
) STRICT, WITHOUT ROWID;
