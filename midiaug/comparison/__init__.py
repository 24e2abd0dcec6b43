"""Compares runs: what each came to, what augmentation gained, and what the music is like before and after."""
