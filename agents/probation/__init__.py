"""A probation region's agent: what only probation does, which is to read an export of HMPPS resources."""
