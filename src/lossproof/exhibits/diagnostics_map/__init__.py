"""Diagnostics map."""
