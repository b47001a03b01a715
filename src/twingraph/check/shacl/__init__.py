"""Validation by shapes (SHACL)."""
