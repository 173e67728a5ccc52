"""HTML pages that open anywhere: one file each, no network, readable on a phone and in print.

`page` fills templates: `page.html.j2` is the shell of all pages, with one style sheet, `parts` the
macros they are made of. `axes` and `charts` compute what is drawn, `colors` says in which colour.
"""
