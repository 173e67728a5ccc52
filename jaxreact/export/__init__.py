"""Reactions for other programs: `python -m jaxreact.export FORMAT IN OUT`.

command.py      what can be asked for, and the whole way
motion.py       a file of reactions -> one face over time, at any rate
pose.py         where a head is, in the terms of others: quaternions, angles, metres
arkit_csv.py    the csv of Live Link Face
arkit_json.py   the same in JSON, with the head's place
bvh.py          the head alone, as motion capture has it
flame.py        the head alone, as FLAME's users have it
glb.py          the built-in head as glTF 2.0, animated
gltf_scene.py   what is in such a file; head_mesh.py is its shape, gltf_data.py its numbers
formats.py      their names, endings and writers

Way back in: `jaxreact.tracking.live_link`.
"""
