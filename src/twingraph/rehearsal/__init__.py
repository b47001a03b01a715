"""Playing a harvester against a running server, to say beforehand what it would complain about."""
