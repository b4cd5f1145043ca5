"""Nets that were made elsewhere, as a Net with its weights."""
