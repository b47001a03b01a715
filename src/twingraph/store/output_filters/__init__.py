"""What is put right in the bytes that the engine writes, one module for each of its habits."""
