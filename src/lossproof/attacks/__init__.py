"""The evaluation protocol: attacks as printed, through the papers' library, and an honest one of our own.

A *method* is a function ``method(model, images, labels, *, norm, epsilons, step_sizes, seed, ...)``
that returns a :class:`~lossproof.attacks.outcome.Crafted`; its file's ``CATALOGUE`` names it.
``protocol.run_bundle`` runs methods over splits and writes down what the deployed model says.
"""
