-- What every node keeps to send and receive: its store epoch, what waits for an acknowledgement, what it has answered.

CREATE TABLE epoch (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    value TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
    message_id TEXT PRIMARY KEY,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    exchange TEXT,
    subject TEXT NOT NULL,
    digest TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_by_exchange ON outbox (exchange);

CREATE TABLE inbox (
    sender TEXT NOT NULL,
    message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    acknowledgement BLOB NOT NULL,
    PRIMARY KEY (sender, message_id)
) STRICT;
CREATE INDEX inbox_by_age ON inbox (forget_at);
