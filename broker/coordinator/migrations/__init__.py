"""The coordinator's tables, as numbered migrations."""
