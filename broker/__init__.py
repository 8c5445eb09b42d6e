"""The broker: the hub's programs, and in `node` what every party runs unchanged."""
