"""The packing command at a pace at which it can be killed in time: python packing_slowly.py ..."""

import time
from pathlib import Path

from jaxreact.data.prepare import pack
from jaxreact.data.prepare.__main__ import main

write = pack.write_shard


def write_slowly(path: Path, records: list[bytes]) -> None:
    write(path, records)
    time.sleep(0.2)  # a shard without its note: what a kill leaves here is written again


pack.write_shard = write_slowly  # in the workers too, which import this file anew

if __name__ == "__main__":
    main()
