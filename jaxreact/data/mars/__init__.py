"""The MARS data of REACT2025 and REACT2026: folders instead of lists, sessions instead of matrices.

Its layout and what of it is assumed: docs/mars.md.
"""
