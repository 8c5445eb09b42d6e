-- The mirror: every leaf hash of the hub's log, the complete subtrees above them, the newest checkpoint believed.

CREATE TABLE mirror_leaf (
    idx INTEGER PRIMARY KEY,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE mirror_node (
    level INTEGER NOT NULL CHECK (level > 0),
    position INTEGER NOT NULL CHECK (position >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE mirror_head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    checkpoint BLOB NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- The entries that name this agency, in full; seq only where the hub numbers them.
CREATE TABLE mirror_entry (
    idx INTEGER PRIMARY KEY,
    seq INTEGER UNIQUE,
    exchange TEXT,
    type TEXT NOT NULL,
    leaf BLOB NOT NULL
) STRICT;
CREATE INDEX mirror_entry_by_exchange ON mirror_entry (exchange);

-- How far the hub's numbers are held without a gap, and the newest number the hub has said there is.
CREATE TABLE mirror_seq (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    held INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT;
INSERT INTO mirror_seq (only_row, held, told) VALUES (1, 0, 0);

-- One row an exchange. The delivery's envelopes go when the job is done; the answer stays until the desk has it.
CREATE TABLE job (
    exchange TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    deadline_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    request BLOB,
    grant_envelope BLOB,
    request_digest TEXT NOT NULL,
    acknowledged BLOB NOT NULL,
    answer BLOB,
    answer_digest TEXT,
    addendum BLOB,
    leaf BLOB
) STRICT;
CREATE INDEX job_by_state ON job (state);

-- Sealed addenda of this agent's own log, by the digest its entries name. Erasing is deleting the row.
CREATE TABLE own_addendum (
    digest TEXT PRIMARY KEY,
    exchange TEXT NOT NULL,
    raw BLOB NOT NULL
) STRICT;

-- Deeds of this agent that the hub must show: when each was committed, and where the hub has entered it.
CREATE TABLE own_deed (
    hash BLOB PRIMARY KEY,
    exchange TEXT NOT NULL,
    type TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    hub_idx INTEGER
) STRICT;
CREATE INDEX own_deed_missing ON own_deed (made_at) WHERE hub_idx IS NULL;
