"""New music from a trained model: what may follow, the draw, the prompt, and the files that come of it."""
