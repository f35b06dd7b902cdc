"""Where artifacts lie, and how hosts share them."""
