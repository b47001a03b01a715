"""Queries run here: in processes of their own, which can be ended and replaced one by one."""
