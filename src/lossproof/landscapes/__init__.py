"""Loss surfaces around a trained model: our own, and that of the package the papers could use."""
