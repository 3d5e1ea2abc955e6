"""Architectures, one file per family; a classifier is normalisation + backbone + head.

``classifier.build`` makes any of them by name. ResNet-18 and -34, DenseNet-121 and GoogLeNet are torchvision's, with a
stem and a width to choose; the others are not in it (``docs/libraries.md``). A family is imported when one of its
networks is built, as torchvision takes seconds to import.
"""
