"""Labels of figures: printed names, stand-ins, short numbers."""

from __future__ import annotations

from lossproof.display_names import attack, budget, name, parameter, reading, steps, substituted, targeted

__all__ = ["attack", "budget", "dataset", "name", "network", "parameter", "reading", "short", "steps", "targeted"]

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


dataset = network = substituted


def short(value: float) -> str:
    """A number for a label: three significant digits; a power of ten below 0.001 and from 100,000 on."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}"
