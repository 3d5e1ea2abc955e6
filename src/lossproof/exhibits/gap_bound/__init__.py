"""Gap bound."""
