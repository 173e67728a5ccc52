"""The REACT2023 and REACT2024 data: pair lists, and matrices that say who suits whom."""
