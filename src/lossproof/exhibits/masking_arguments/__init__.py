"""Masking arguments."""
