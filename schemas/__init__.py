"""The contract: what any two parties must do identically, whoever wrote their programs.

Pure: no clock, no store, no bus, no randomness but key making. Entry test for a line of code: would an agency that
writes its own agent in another language have to match this? `SPEC.md` says the same in words.
"""
