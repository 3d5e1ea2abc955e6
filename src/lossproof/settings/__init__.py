"""Config and declarations: read, checked with one-line errors, resolved into each step's settings."""
