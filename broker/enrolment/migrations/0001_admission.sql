-- What admission keeps: who was offered, admitted, suspended, expelled; what the bus's servers are to hold; directories.
-- Public keys, digests, times and codes. No private key and no person.

CREATE TABLE member (
    agency TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('admitted', 'suspended', 'expelled')),
    statement BLOB NOT NULL,
    request_digest TEXT NOT NULL,
    challenge_digest TEXT NOT NULL,
    is_proven INTEGER NOT NULL,
    since INTEGER NOT NULL,
    reason TEXT
) STRICT, WITHOUT ROWID;

-- What was written for an agency, until a person says yes. Nothing in it is in effect.
CREATE TABLE offer (
    agency TEXT PRIMARY KEY,
    request_digest TEXT NOT NULL,
    nonce TEXT NOT NULL,
    statement BLOB NOT NULL,
    reply BLOB NOT NULL,
    words TEXT NOT NULL,
    challenge_digest TEXT NOT NULL,
    certificate_key BLOB NOT NULL,
    certificate BLOB NOT NULL,
    replaces INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests that had their effect, by their nonces: each has it once.
CREATE TABLE request (
    nonce TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every public key that an admitted party ever stated, for TLS too: it is that party's for ever.
CREATE TABLE key_of (
    public BLOB PRIMARY KEY,
    party TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest statement of the hub's own parties.
CREATE TABLE hub_statement (
    party TEXT PRIMARY KEY,
    statement BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What every server of the bus is to hold, by the account's nkey.
CREATE TABLE account (
    nkey TEXT PRIMARY KEY,
    party TEXT NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('live', 'suspended', 'gone')),
    claims TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate (
    party TEXT PRIMARY KEY,
    public BLOB NOT NULL,
    pem BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Directories: given out once the receipt of their entry is here.
CREATE TABLE issued_directory (
    version INTEGER PRIMARY KEY,
    frame BLOB NOT NULL,
    lines BLOB NOT NULL,
    digest TEXT NOT NULL,
    message_id TEXT NOT NULL,
    changed TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    receipt BLOB
) STRICT;
