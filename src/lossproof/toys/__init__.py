"""Two-dimensional toy sets, small networks trained on them, and the boundaries that they draw."""
