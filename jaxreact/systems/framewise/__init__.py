"""The frame-wise listener: what is to be expected of a listener at each frame, and a person's own
departures from it.

This project's own, better than the published systems on the challenge's scores and free of flicker
and seams (docs/framewise.md).
"""
