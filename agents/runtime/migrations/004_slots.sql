-- The instant from which a request's answer may leave, fixed when the request arrived; 0: at once.
ALTER TABLE job ADD COLUMN leaves_at INTEGER NOT NULL DEFAULT 0;
