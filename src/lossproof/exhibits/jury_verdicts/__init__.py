"""Jury verdicts."""
