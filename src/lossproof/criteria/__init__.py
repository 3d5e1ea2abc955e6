"""Losses, one file per family.

A criterion is built from its catalogue parameters and maps ``logits [B, K]`` (float) and
``targets [B]`` (int64 in 0..K-1) to the loss of each sample, ``[B]``; the caller averages.
``head`` in its catalogue entry names the classifier head that it is made for (``linear`` where it
names none). All are computed from log-softmax and have finite values and gradients for any finite
float32 logits of up to 1e4 in size, K >= 2.
"""
