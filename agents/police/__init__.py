"""A police force's agent: what only the police do, which is to read a POLE database and to name its codes."""
