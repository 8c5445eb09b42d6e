"""Keys, signatures and seals, composed from the `cryptography` package as SPEC 3 says, and nothing else."""
