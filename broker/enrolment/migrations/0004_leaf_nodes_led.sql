-- To which account of the hub the leaf nodes of each server lead, by the server's name: they were connected anew since.
CREATE TABLE led (
    server TEXT PRIMARY KEY,
    hub TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- When what is replaced was about to be gone: files of servers that were written before still name it.
ALTER TABLE bus_rotation ADD COLUMN gone_at INTEGER;
