-- The versions of the hub's policy as its IG lead signed them, and their files under their digest: a folder that is
-- edited or vanishes changes nothing that is in force. What was in force before versions were signed is forgotten.
DROP TABLE policy_in_force;

CREATE TABLE policy_version (
    number INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    policy_digest TEXT NOT NULL,
    idx INTEGER NOT NULL,
    taken_at INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_files (
    policy_digest TEXT PRIMARY KEY,
    files BLOB NOT NULL
) STRICT;

-- Which message carries a version to an agency, and what the agency answered: `committed`, or why it refused.
CREATE TABLE policy_sent (
    agency TEXT NOT NULL,
    number INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    answered_at INTEGER,
    code TEXT,
    PRIMARY KEY (agency, number)
) STRICT, WITHOUT ROWID;

-- By which version a request was decided; unknown of those before versions were kept.
ALTER TABLE question ADD COLUMN policy_digest TEXT NOT NULL DEFAULT '';
