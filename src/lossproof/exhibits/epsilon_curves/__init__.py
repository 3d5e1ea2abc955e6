"""Epsilon curves."""
