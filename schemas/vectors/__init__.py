"""Test vectors another implementation can run, built here from fixed keys and written out as JSON."""
