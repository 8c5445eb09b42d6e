-- Reviews of broken glasses: open from the entry that says so until a lead of the hub's closes them.
CREATE TABLE review (
    exchange TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    officer TEXT NOT NULL,
    manager TEXT NOT NULL,
    entry_hash TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    closed_at INTEGER,
    finding TEXT
) STRICT, WITHOUT ROWID;
