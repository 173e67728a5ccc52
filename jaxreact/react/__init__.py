"""The command `python -m jaxreact.react VIDEO`: a listener's reaction to any talking face.

Video -> what the system needs of the speaker: a tracked face, sound, pictures around the face ->
coefficients and emotion -> a video of the two side by side, with the speaker's sound.

command.py   the whole way
config.py    what can be asked for
lengths.py   how much of a clip is used
answer.py    a speaker -> reactions: of the whole clip at once, or of a long one as a stream
film.py      reactions -> pictures
"""
