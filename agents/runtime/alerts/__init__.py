"""What the hub tells this agency's information-governance lead: raised, kept until seen, told as the agency wants."""
