"""Test vectors another implementation can run: built here from fixed keys, written out as JSON beside the specification."""
