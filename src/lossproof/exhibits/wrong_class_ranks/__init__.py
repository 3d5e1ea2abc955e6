"""Wrong class ranks."""
