"""One file a threat: what somebody tries, and that nothing of another's is had or changed by it."""
