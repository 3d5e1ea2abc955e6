"""Defences that are no losses, one file each: what a recipe adds to its criterion under ``defence``.

The catalogue entry says on what a defence ``acts``: on the ``forward`` pass (a module ``build(image_size,
**parameters)`` from images to images [B, C, ``output_size``, ``output_size``], part of the classifier, so that it is
attacked with it) or on the ``batch`` of a training step (``build(**parameters)``, called with model, images [B, C, H,
W] in [0, 1], targets [B] and a random generator; gives the images to train on).
"""
