"""Talking to a hub's running programs from the same machine: what commands and the demonstration share."""
