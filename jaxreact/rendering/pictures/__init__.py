"""Pictures for people: reactions side by side, and what a head model can do.

Each kind has a file; `options` are what they share, `reactions` is what they show.
"""
