"""The old name of a command: `python -m jaxreact.watching.report` is `training.monitor.report`."""

import runpy

if __name__ == "__main__":
    runpy.run_module("jaxreact.training.monitor.report", run_name="__main__", alter_sys=True)
