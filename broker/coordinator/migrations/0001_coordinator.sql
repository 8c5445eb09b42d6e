-- What the coordinator keeps beside the sharing log. No content, no name: sealed bytes, codes, digests, times.

CREATE TABLE exchange (
    id TEXT PRIMARY KEY,
    enquiry TEXT NOT NULL,
    agency TEXT NOT NULL,
    rag TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    progress TEXT NOT NULL,
    grant_digest TEXT NOT NULL,
    answer_digest TEXT NOT NULL,
    alerted TEXT,
    is_undecided INTEGER NOT NULL,
    is_escalated INTEGER NOT NULL,
    is_late INTEGER NOT NULL,
    delivery_code TEXT
) STRICT;
CREATE INDEX exchange_by_progress ON exchange (progress);

-- The sealed request and its grant, until the exchange's conclusion.
CREATE TABLE request (
    exchange TEXT PRIMARY KEY REFERENCES exchange (id),
    envelope BLOB NOT NULL,
    grant_envelope BLOB NOT NULL
) STRICT;

CREATE TABLE timer (
    exchange TEXT NOT NULL REFERENCES exchange (id),
    kind TEXT NOT NULL,
    urgency INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (exchange, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_by_due ON timer (due_at, urgency);

-- What an agency has been sent of the log, and the number of the newest entry that names it.
CREATE TABLE agency (
    party TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    extended_size INTEGER NOT NULL,
    heard_at INTEGER NOT NULL
) STRICT;

-- The entries the coordinator made that name an agency, and the message that carries each to it.
CREATE TABLE agency_entry (
    agency TEXT NOT NULL,
    seq INTEGER NOT NULL,
    exchange TEXT NOT NULL,
    idx INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (agency, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX agency_entry_by_exchange ON agency_entry (exchange);

-- Deeds of others in the log: the same leaf again is the same deed; another of its type for one exchange is refused.
CREATE TABLE deed (
    leaf_hash BLOB PRIMARY KEY,
    exchange TEXT,
    type TEXT NOT NULL,
    idx INTEGER NOT NULL,
    UNIQUE (exchange, type)
) STRICT, WITHOUT ROWID;

-- Sealed addenda, by the SHA-256 that leaves name them by. Erasing one leaves the log whole.
CREATE TABLE addendum (
    sha256 TEXT PRIMARY KEY,
    exchange TEXT,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX addendum_by_exchange ON addendum (exchange);

CREATE TABLE closed_enquiry (
    enquiry TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    party TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    root TEXT NOT NULL,
    admitted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_in_force (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    digest TEXT NOT NULL
) STRICT;

CREATE TABLE heartbeat (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    alive_at INTEGER NOT NULL
) STRICT;

CREATE TABLE outage (
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outage_by_end ON outage (until_at);
