"""The server: a read-only ASGI application over the current release."""
