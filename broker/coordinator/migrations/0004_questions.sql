-- What each request asked for, in the codes that the policy read: so that its decision can be explained later. No
-- reference to a subject is among them.
CREATE TABLE question (
    exchange TEXT PRIMARY KEY,
    asked BLOB NOT NULL
) STRICT, WITHOUT ROWID;
