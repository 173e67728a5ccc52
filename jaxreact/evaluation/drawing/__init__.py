"""Predictions as pictures: which clips are drawn, what of, and into which files."""
