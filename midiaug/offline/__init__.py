"""The offline way: the transposed corpus as MIDI files on disk, for tools that transpose nothing themselves."""
