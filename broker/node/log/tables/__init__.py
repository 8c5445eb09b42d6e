"""The SQL migrations of the log's tables (set `log`)."""
