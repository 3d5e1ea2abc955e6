"""Heads: from a backbone's features to logits, one file per head.

A head is built as ``head(feature_dim, num_classes)`` and maps features [B, d] to logits [B, K], both float32. Its
``weight`` is what a training's history summarises. The catalogue entry of a loss names its head (key ``head``;
``linear`` where it names none), so that a new or changed head retrains only the networks that have it.
"""
