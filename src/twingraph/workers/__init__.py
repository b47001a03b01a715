"""Worker processes, in which queries run so that they can be killed, and their pool."""
