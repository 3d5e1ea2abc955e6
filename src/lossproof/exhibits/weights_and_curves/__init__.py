"""Weights and curves."""
