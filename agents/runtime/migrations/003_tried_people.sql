-- How often an officer has described one person, so that outcomes cannot be used to guess: codes under a key, no names.
CREATE TABLE tried_key (key BLOB NOT NULL);
CREATE TABLE tried (about BLOB NOT NULL, description BLOB NOT NULL, first_at INTEGER NOT NULL,
    PRIMARY KEY (about, description)) WITHOUT ROWID;
CREATE INDEX tried_first_at ON tried (first_at);
