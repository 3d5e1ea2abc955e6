"""Numerical checks of theorems, lemmas and formulas, one file per statement.

A check takes its catalogue parameters as keywords, computes in float64 with the package's own criteria
and autograd, and returns ``{"claim", "holds", "condition", "cases"}`` (see ``cases.py``).
"""
