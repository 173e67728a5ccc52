"""An interactive page of a conversation: heads in three.js, driven by coefficients, with sound.

`packing` turns arrays into text, `contents` gathers what a page needs to know, `page` makes it.
The page does in JavaScript what `HeadModel.vertices` and `shade` do here.
"""
