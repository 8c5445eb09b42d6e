"""The tables of an agent: its mirror of the hub's log, its jobs, its sealed addenda (set "agent")."""
