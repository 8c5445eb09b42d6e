"""An agency's home: made, of one kind, and admitted to a hub by a reply that was checked.

Refuses to know the running program: nothing here needs one, and nothing of it is needed to answer a request.
"""
