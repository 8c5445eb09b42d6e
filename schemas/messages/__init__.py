"""What parties say to each other: the models of every header, body and entry, and how each is opened (SPEC 4 to 8)."""
