"""The SPARQL Protocol: from a request to a worker's answer, and to one that is given again."""
