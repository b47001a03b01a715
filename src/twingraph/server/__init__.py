"""The server: an ASGI application that answers from the current release and changes nothing."""
