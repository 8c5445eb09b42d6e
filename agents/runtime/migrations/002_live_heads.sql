-- How far the mirror is borne out by a checkpoint under a key of the hub's log that is live.
ALTER TABLE mirror_head ADD COLUMN live_size INTEGER NOT NULL DEFAULT 0;
UPDATE mirror_head SET live_size = size;
