-- Whether this store was restored from a backup, and what is needed when a peer's was.

CREATE TABLE restored (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    at INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    is_followed INTEGER NOT NULL,
    caught_up_at INTEGER
) STRICT;

-- The epoch each peer last showed, and when: another one, shown later, says that its store was restored.
CREATE TABLE peer_epoch (
    party TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    shown_at INTEGER NOT NULL
) STRICT;

-- Messages that their receiver could lose with its store and that nobody could make again; until they expire.
CREATE TABLE kept_message (
    message_id TEXT PRIMARY KEY,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    exchange TEXT,
    subject TEXT NOT NULL,
    digest TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX kept_message_by_receiver ON kept_message (receiver);
CREATE INDEX kept_message_by_expiry ON kept_message (expires_at);
