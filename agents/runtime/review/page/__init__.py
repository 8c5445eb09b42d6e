"""The review desk's page: a few forms on 127.0.0.1, rendered here, usable without a script."""
