"""The hub's policy as this agency holds it: each signed version with its files; no grant by any other is answered."""
