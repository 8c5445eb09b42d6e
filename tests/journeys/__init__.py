"""Journeys: what people type, from the first command to the verified log."""
