"""Weight history."""
