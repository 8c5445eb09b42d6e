-- Rotations of the bus's own keys that are under way: what is replaced (by its public name), and how far the log knows.
CREATE TABLE bus_rotation (
    what TEXT PRIMARY KEY,
    replaced TEXT NOT NULL,
    entered TEXT NOT NULL CHECK (entered IN ('added', 'revoked', 'used'))
) STRICT, WITHOUT ROWID;
