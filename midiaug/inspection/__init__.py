"""What `python -m midiaug.preview` does: transposes a few pieces, checks them, and shows them."""
