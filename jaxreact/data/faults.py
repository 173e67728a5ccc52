"""What can be wrong with a file that is there and can be opened."""

from jaxreact.errors import UserError


class NotFiniteError(UserError):
    """Values that are infinite or no numbers."""


class ShapeError(UserError):
    """Numbers that do not form the table expected."""
