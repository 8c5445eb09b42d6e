"""Admission's tables, as numbered migrations."""
