"""isce, fig. 3: the surface z over s and m, on the printed range and beyond it, where it turns negative."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lossproof.theory.inference_softmax import M_RANGE, MEAN_F, MEAN_S, S_RANGE, last_m, last_s, slope

CATALOGUE = {"isce_surface": {"build": "surface", "parameters": {}}}

WIDE_S, WIDE_M = (1.0, 8.0), (0.0, 4.0)
POINTS = {"printed": 31, "wide": 101}


def surface() -> dict[str, Any]:
    """``{"fields": {"<panel>/s": [A], "<panel>/m": [B], "<panel>/z": [B, A]}, "measures": [...]}``.

    z is the autograd derivative of ``h`` over S at f = 0.97, S = 8 (float64). Panels: ``printed`` (s in [1, 2], m in
    (0, 0.1]) and ``wide``. Measures: the smallest and the largest z and where they are, the share of the panel in
    percent where z < 0, and points where z changes its sign.
    """
    fields: dict[str, Any] = {}
    measures: list[dict[str, Any]] = []
    for panel, (s_range, m_range) in {"printed": (S_RANGE, M_RANGE), "wide": (WIDE_S, WIDE_M)}.items():
        s = torch.linspace(*s_range, POINTS[panel], dtype=torch.float64)
        # m > 0: a hundredth of the first step stands for the limit.
        m = torch.linspace(*m_range, POINTS[panel], dtype=torch.float64)
        m[0] = m[1] / 100
        z = _z(s, m)
        fields |= {f"{panel}/s": s.tolist(), f"{panel}/m": m.tolist(), f"{panel}/z": z.tolist()}
        for quantity, at in (("smallest", int(z.argmin())), ("largest", int(z.argmax()))):
            row, column = divmod(at, len(s))
            point = {"s": s[column].item(), "m": m[row].item(), "value": z[row, column].item()}
            measures.append({"panel": panel, "quantity": quantity, **point})
        share = 100 * (z < 0).double().mean().item()
        measures.append({"panel": panel, "quantity": "negative_share", "value": share})
    for s_at, m_at in ((1.0, last_m(1.0)), (2.0, last_m(2.0)), (last_s(0.1), 0.1)):
        measures.append({"panel": "wide", "quantity": "sign_change", "s": s_at, "m": m_at, "value": 0.0})
    return {"fields": fields, "measures": measures}


def _z(s: Tensor, m: Tensor) -> Tensor:
    """z [B, A] at every pair of ``s`` [A] and ``m`` [B]."""
    rows, columns = torch.meshgrid(m, s, indexing="ij")
    f, total = torch.full_like(rows, MEAN_F), torch.full_like(rows, MEAN_S)
    return slope(f, total, columns, rows) / MEAN_S
