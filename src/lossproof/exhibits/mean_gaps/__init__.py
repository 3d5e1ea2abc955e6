"""Mean gaps."""
