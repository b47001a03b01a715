"""What Schemathesis has to be told of our media types; it is started with this module by tests/test_openapi.py."""

import schemathesis


@schemathesis.serializer("application/sparql-query")
def sparql_query(_, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
