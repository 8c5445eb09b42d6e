"""Instants as the doctor says them."""

from __future__ import annotations

from datetime import UTC, datetime


def minute(at: int) -> str:
    """Milliseconds UTC, to the minute."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")


def day(at: int) -> str:
    """Milliseconds UTC, as a day."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")
