"""Architectures, one file per family; a classifier is normalisation + backbone + head.

``classifier.build`` makes any of them by name. The families of torchvision (ResNet, GoogLeNet, DenseNet)
are written here with torchvision's topology, parameter names and initial weights, because importing
torchvision would cost every job more than a second, and because widths and stems can then be chosen.
"""
