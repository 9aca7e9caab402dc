"""The targets in Python, one a file: ``read(data)`` gives bytes to a reader."""
