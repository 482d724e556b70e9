"""Search for better settings: knows only what to draw, and objective(params) -> value."""
