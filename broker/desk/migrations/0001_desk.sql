-- What the desk keeps. Columns named sealed_* open only with the key of their enquiry; the others hold codes, random
-- references, digests, times and proofs, and no personal datum.

CREATE TABLE enquiry (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    rag TEXT NOT NULL,
    purpose TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    reply_key TEXT NOT NULL UNIQUE,
    sealed_content BLOB,
    sealed_decision BLOB
) STRICT;

CREATE TABLE enquiry_officer (
    officer TEXT NOT NULL,
    enquiry TEXT NOT NULL REFERENCES enquiry (id),
    PRIMARY KEY (officer, enquiry)
) STRICT, WITHOUT ROWID;

-- One random reference towards each agency, so that two agencies cannot tell that they were asked about one enquiry.
CREATE TABLE enquiry_reference (
    enquiry TEXT NOT NULL REFERENCES enquiry (id),
    agency TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    PRIMARY KEY (enquiry, agency)
) STRICT, WITHOUT ROWID;

CREATE TABLE exchange (
    id TEXT PRIMARY KEY,
    enquiry TEXT NOT NULL REFERENCES enquiry (id),
    agency TEXT NOT NULL,
    officer TEXT NOT NULL,
    progress TEXT NOT NULL,
    header BLOB NOT NULL,
    request_digest TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    reply_key TEXT NOT NULL,
    undecided INTEGER NOT NULL DEFAULT 0,
    body BLOB,
    addendum BLOB,
    sealed_references BLOB,
    ruling BLOB,
    grant_header BLOB,
    grant_digest TEXT,
    code TEXT
) STRICT;
CREATE INDEX exchange_by_enquiry ON exchange (enquiry);

-- What became known of an exchange, each thing once: when, and the receipt that proves it.
CREATE TABLE exchange_event (
    exchange TEXT NOT NULL REFERENCES exchange (id),
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    receipt BLOB,
    PRIMARY KEY (exchange, event)
) STRICT, WITHOUT ROWID;

-- Header and signature of an answer are evidence and name nobody; what it says is sealed to the enquiry's own key.
CREATE TABLE answer (
    exchange TEXT PRIMARY KEY REFERENCES exchange (id),
    answer_digest TEXT NOT NULL,
    envelope BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    sealed_outcomes BLOB
) STRICT;

CREATE TABLE quarantine (
    exchange TEXT PRIMARY KEY REFERENCES exchange (id),
    sealed_excess BLOB
) STRICT;

CREATE TABLE deed (
    message_id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    enquiry TEXT NOT NULL REFERENCES enquiry (id),
    exchange TEXT,
    made_at INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    leaf_hash TEXT NOT NULL,
    receipt BLOB,
    code TEXT
) STRICT;
CREATE INDEX deed_by_enquiry ON deed (enquiry);

CREATE TABLE rejection (
    message_digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    code TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE command_seen (
    officer TEXT NOT NULL,
    nonce TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    PRIMARY KEY (officer, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX command_seen_by_age ON command_seen (forget_at);
