"""Where a trained network places images, and how far apart it keeps the classes."""
