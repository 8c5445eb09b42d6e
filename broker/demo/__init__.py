"""The synthetic county and the demonstration: everything here is invented, and nothing here runs in a real hub."""
