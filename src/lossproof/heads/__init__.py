"""Heads: from a backbone's features to logits, one file per head.

A head is built as ``head(feature_dim, num_classes, **parameters)`` and maps features [B, d] to logits [B, K], both
float32: the scores that predict and that an attacker sees, without label and margin, and of both signs (attacks on
the margin of logits that are never positive fail silently). Its ``weight`` is what a training's history summarises.

What a head may have besides:

* ``embed(features)`` and ``scores(embedding)``: an embedding of its own between the two, on which its loss acts;
* ``raw(features)``: logits before they are normalised, with the same arg-max;
* ``learning_rate_factor``: a factor on the learning rate of its parameters.

The catalogue entry of a loss names its head (key ``head``; ``linear`` where it names none), so that a new or
changed head retrains only the networks that have it. ``head`` may be a mapping {parameter of the loss: {its value:
head}}; ``head_parameters`` maps parameters of the head to those of the loss.
"""
