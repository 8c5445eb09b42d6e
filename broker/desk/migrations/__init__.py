"""The numbered migrations of the desk's tables (set `desk`)."""
