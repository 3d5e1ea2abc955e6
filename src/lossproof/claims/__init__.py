"""Printed numbers beside measured ones: match, verdict, plausibility, ledger."""
