"""The one exception that users see, and the wrapper that shows it as one line."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """Something the user gave cannot be used; the message is one line that says what to do.

    Raised at the boundary (a file, a configuration, a checkpoint, an argument), never for a
    programming mistake. It names the file or key concerned.
    """


def run_command(main: Callable[[], None]) -> None:
    """Runs a command-line `main`: a `UserError` becomes one line on stderr and exit status 1."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
