"""Where the toy boundaries lie, per training over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from lossproof.tidy import Row, number

COLUMNS = ("exhibit", "toy", "training", "epoch", "quantity", "seeds", "median", "lowest", "highest")


def toy_summary(
    boundaries: Mapping[str, Sequence[Row]], quantities: Sequence[str] = ("centredness",)
) -> list[dict[str, Any]]:
    """One row (``COLUMNS``) per exhibit, training and quantity: median and range over seeds at the last epoch.

    ``boundaries``: tidy rows of kind boundaries by exhibit id. Values that are not finite are left out
    and so lower ``seeds``.
    """
    summary = []
    for exhibit, rows in boundaries.items():
        for training in dict.fromkeys(row["training"] for row in rows):
            for quantity in quantities:
                mine = [row for row in rows if row["training"] == training and row["quantity"] == quantity]
                last = max((number(row["epoch"]) or 0.0 for row in mine), default=0.0)
                at_end = [row for row in mine if (number(row["epoch"]) or 0.0) == last]
                values = [value for row in at_end if (value := number(row["value"])) is not None]
                if values:
                    summary.append(
                        {
                            "exhibit": exhibit,
                            "toy": at_end[0]["toy"],
                            "training": training,
                            "epoch": f"{last:g}",
                            "quantity": quantity,
                            "seeds": len(values),
                            "median": median(values),
                            "lowest": min(values),
                            "highest": max(values),
                        }
                    )
    return summary
