"""From files to batches, in the order of the flow: sources to module."""
