"""Validation by shapes (SHACL), with pyshacl."""
