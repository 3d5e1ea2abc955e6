"""Threat models: the sets in which an adversary may move an image, and how their budgets are written."""
