"""A net as the text of a plain PyTorch module."""
