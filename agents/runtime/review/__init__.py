"""The agency's review desk: people who read what the rules set apart, and say what of it leaves."""
