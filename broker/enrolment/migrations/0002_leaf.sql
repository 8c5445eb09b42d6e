-- Whether an agency may connect a server of its own, as a leaf node of the bus.
ALTER TABLE member ADD COLUMN may_run_leaf INTEGER NOT NULL DEFAULT 0;
ALTER TABLE offer ADD COLUMN may_run_leaf INTEGER NOT NULL DEFAULT 0;
