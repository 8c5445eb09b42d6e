"""The coordinator: decides scope, keeps time, relays, and records in the sharing log. It never sees content."""
