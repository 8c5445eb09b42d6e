"""An education agent: what only schools do, which is to hold transfer files, registers and safeguarding files."""
