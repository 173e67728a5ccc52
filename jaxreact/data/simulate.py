"""The command `python -m jaxreact.data.simulate`: what `python -m jaxreact.simulation` does.

The simulation draws faces, so that it stands above the rooms that only read data; its command keeps
the name that scripts know.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("jaxreact.simulation", run_name="__main__", alter_sys=True)
