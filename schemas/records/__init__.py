"""What each record category may say: one model a category and mode, found through `schemas.records.registry`.

Owns field names, types, limits and markers. Refuses to know who may see what (policy) and where it came from (an
agency's mapping). Field names are those of the standards they come from: an agency's own people recognise them.
"""
