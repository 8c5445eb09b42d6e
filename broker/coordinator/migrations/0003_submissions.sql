-- Which message brought each request: one that its desk has to send under another key and id is known for the same.
CREATE TABLE submission (
    exchange TEXT PRIMARY KEY,
    message_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
