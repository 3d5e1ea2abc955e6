"""Accuracy table."""
