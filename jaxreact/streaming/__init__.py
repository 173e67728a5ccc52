"""Any online system as a stream: sound and faces come as they come, reactions go when they are due.

    listener = jaxreact.ReactionStream(system, key=key)
    for reaction in listener.feed(audio=chunk, coeffs=rows, time=t): ...
    listener.finish()

stream.py      one stream
long_clip.py   a clip of any length through one
pool.py        many streams in one batch
inputs.py      what a stream was fed, until there is enough of it for a step
rows.py        faces or emotion, stamped, at any rate -> 25 frames a second
sound.py       sound, stamped, by a clock of its own -> 16,000 samples a second of the stream's
outputs.py     reactions until they are due, smoothed if wanted
smoothing.py   by a stated number of frames
"""
