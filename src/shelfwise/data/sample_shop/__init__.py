"""The built-in synthetic shop: files as a real shop would bring them, and the truth behind them."""
