"""Findings and coverage as documents."""
