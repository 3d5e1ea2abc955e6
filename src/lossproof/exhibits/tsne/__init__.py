"""Tsne."""
