"""The agents: what runs beside an agency's own system and answers from its records."""
