"""The SPARQL Protocol: from a request to an answer, from a worker or from the cache."""
