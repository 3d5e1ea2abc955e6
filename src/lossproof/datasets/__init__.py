"""Data sets: sources, preparation, and one uniform prepared form that every other step reads."""
