"""The tables of the directory that a party holds."""
