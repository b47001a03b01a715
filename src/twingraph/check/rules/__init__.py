"""Checks in Python: each a function from plain data to findings."""
