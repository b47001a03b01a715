"""Stores: engines that hold a release and answer queries, behind one protocol."""
