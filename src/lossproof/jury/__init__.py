"""What a trained network's own gradients say of it, beside any attack."""
