"""A health trust's agent: what only health does, which is to read a FHIR R4 export and to name its codes."""
