-- The append-only log. The triggers are against accidents, not against an attacker: he is met by checkpoints that others keep.

CREATE TABLE log_entry (
    idx INTEGER PRIMARY KEY,
    leaf BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Complete subtrees above the leaves: level 1 and up. Level 0 is log_entry.hash.
CREATE TABLE log_node (
    level INTEGER NOT NULL CHECK (level > 0),
    position INTEGER NOT NULL CHECK (position >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    origin TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32)
) STRICT;

CREATE TABLE log_checkpoint (
    size INTEGER PRIMARY KEY,
    note BLOB NOT NULL
) STRICT;

CREATE TRIGGER log_entry_is_next BEFORE INSERT ON log_entry
    WHEN new.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM log_entry)
    BEGIN SELECT raise(ABORT, 'log_entry grows at its end'); END;
CREATE TRIGGER log_entry_no_update BEFORE UPDATE ON log_entry
    BEGIN SELECT raise(ABORT, 'log_entry is append-only'); END;
CREATE TRIGGER log_entry_no_delete BEFORE DELETE ON log_entry
    BEGIN SELECT raise(ABORT, 'log_entry is append-only'); END;
CREATE TRIGGER log_node_no_update BEFORE UPDATE ON log_node
    BEGIN SELECT raise(ABORT, 'log_node is append-only'); END;
CREATE TRIGGER log_node_no_delete BEFORE DELETE ON log_node
    BEGIN SELECT raise(ABORT, 'log_node is append-only'); END;
CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head
    WHEN new.size <= old.size OR new.origin <> old.origin
    BEGIN SELECT raise(ABORT, 'log_head only grows'); END;
CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head
    BEGIN SELECT raise(ABORT, 'log_head stays'); END;
CREATE TRIGGER log_checkpoint_no_update BEFORE UPDATE ON log_checkpoint
    BEGIN SELECT raise(ABORT, 'log_checkpoint is append-only'); END;
CREATE TRIGGER log_checkpoint_no_delete BEFORE DELETE ON log_checkpoint
    BEGIN SELECT raise(ABORT, 'log_checkpoint is append-only'); END;
