-- Requests for which a manager is to break the glass, until both have signed: for the manager to read and sign.

CREATE TABLE broken_glass (
    exchange TEXT PRIMARY KEY REFERENCES exchange (id) ON DELETE CASCADE,
    manager TEXT NOT NULL,
    sealed_reason BLOB NOT NULL,
    officer_signature BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX broken_glass_by_manager ON broken_glass (manager);
