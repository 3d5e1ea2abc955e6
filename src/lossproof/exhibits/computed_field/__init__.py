"""Computed field."""
