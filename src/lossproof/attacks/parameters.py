"""Schemas of the settings that attacks share, for their CATALOGUE."""

from __future__ import annotations

from lossproof.threats.epsilon import FREE_PATTERN, PATTERN, STEP_PATTERN

LINF = {"enum": ["linf"], "default": "linf", "description": "the ball's norm"}
L2 = {"enum": ["l2"], "default": "l2", "description": "the ball's norm"}
EPSILON = {
    "type": ["string", "array"],
    "pattern": PATTERN,
    "items": {
        "type": "string",
        "pattern": PATTERN,
        "description": "a fraction or decimal such as 8/255",
    },
    "minItems": 1,
    "default": "8/255",
    "description": "budget in pixels, fraction or decimal, or a list of them",
}
FREE_EPSILON = {
    "type": ["string", "array"],
    "pattern": FREE_PATTERN,
    "items": {
        "type": "string",
        "pattern": FREE_PATTERN,
        "description": "a fraction or decimal such as 8/255, or unbounded",
    },
    "minItems": 1,
    "default": "unbounded",
    "description": "budget in pixels, fraction or decimal, or unbounded; or a list of them",
}
STEPS = {"type": "integer", "minimum": 1, "default": 40, "description": "gradient steps"}
STEP_SIZE = {
    "type": ["string", "null"],
    "pattern": STEP_PATTERN,
    "default": None,
    "description": "step in pixels, or epsilon/10 for a share of each budget; null = max(1/255, 2.5 epsilon / steps)",
}
RANDOM_START = {"type": "boolean", "default": True, "description": "start at a random point of the ball"}
TARGETED = {
    "enum": ["none", "least_likely"],
    "default": "none",
    "description": "least_likely: towards the class (not the true one) with the smallest logit",
}
DRAWS = {
    "type": "integer",
    "minimum": 1,
    "default": 1,
    "description": "passes over which the attacker averages logits, for models that draw at each",
}
