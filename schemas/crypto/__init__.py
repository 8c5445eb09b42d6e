"""Keys, signatures and seals, composed from the `cryptography` package's primitives as SPEC 3 says, and nothing else."""
