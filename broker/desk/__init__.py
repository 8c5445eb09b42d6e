"""The hub's program for its officers: it alone at the hub holds who an enquiry is about, and the opened answers.

It never decides scope (the coordinator and the agencies do) and never keeps time for anyone.
"""
