-- Requests that wait for a person: until when, and what people of the agency did with them. No record and no name of
-- anybody asked about is kept: what would leave is looked up anew each time, and known by a digest under a key.
ALTER TABLE job ADD COLUMN review_until INTEGER NOT NULL DEFAULT 0;
CREATE TABLE review_key (key BLOB NOT NULL);
-- What is to become of one request as people have said so far; JSON of codes, and the words of a declined one.
CREATE TABLE review_ruling (exchange TEXT PRIMARY KEY, ruling TEXT NOT NULL) STRICT;
-- Who lets it leave, and what exactly: the digest of what was shown.
CREATE TABLE review_press (
    exchange TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    shown TEXT NOT NULL,
    pressed_at INTEGER NOT NULL,
    PRIMARY KEY (exchange, reviewer)
) STRICT;
