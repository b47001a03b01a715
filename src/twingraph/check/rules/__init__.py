"""Checks in Python and of queries: each a function from plain data to findings."""
