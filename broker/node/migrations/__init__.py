"""The numbered migrations of the tables that every node has (set `node`)."""
