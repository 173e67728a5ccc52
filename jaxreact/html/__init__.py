"""HTML pages that open anywhere: one file each, no network, readable on a phone and in print.

`page` is the shell around all of them, with one style sheet; `tables` and `figures` are what they
are made of; `axes` and `lines` draw SVG.
"""
