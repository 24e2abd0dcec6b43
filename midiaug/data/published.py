"""Collections that people know: where each is published, under which licence, and in which version.

What is read is pinned by a SHA-256, checked before any of it is used. MAESTRO's is that of the archive, as in muspy's
`muspy/datasets/maestro.py`. Of a commit, GitHub promises the same files but not the same archive, byte for byte, so
the other two are those of the files that are taken, which `unpacking.listing_sha256` lists. They were computed from the
repositories' objects at these commits, each file compared with its hash in git; in a clone at the commit it is what
`LC_ALL=C; sha256sum MIDI/*.mid | sha256sum` prints for Nottingham, with `POP909/*/*.mid` for POP909.
"""

from dataclasses import dataclass

_GITHUB = "https://github.com/{}/archive/{}.zip"
_MAGENTA = "https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/{}"


@dataclass(frozen=True)
class Published:
    """A collection as it is published.

    name: as in data=NAME. title, licence: for the screen. archive: the file's name, for who fetches it by hand.
    wanted: a pattern of the files that are taken, below the archive's one folder; what repeats their tunes is not.
    archive_sha256, music_sha256: of the archive, and of the files that are taken; at least one is known.
    most_bytes: the archive is no larger, nor are the files that are taken together.
    """

    name: str
    title: str
    licence: str
    url: str
    archive: str
    wanted: str
    archive_sha256: str | None = None
    music_sha256: str | None = None
    most_bytes: int = 1 << 29

    def __post_init__(self) -> None:
        if self.archive_sha256 is None and self.music_sha256 is None:
            raise ValueError(f"{self.name}: no SHA-256 says which version is meant")


PUBLISHED = {
    one.name: one
    for one in (
        Published(
            "nottingham",
            "the Nottingham Music Database, cleaned by Jukedeck",
            "GPL-3.0",
            _GITHUB.format("jukedeck/nottingham-dataset", "0992bb6cd864f6d4b90d6663e08c0ef53ffaa08f"),
            "nottingham-dataset-0992bb6cd864f6d4b90d6663e08c0ef53ffaa08f.zip",
            r"MIDI/[^/]+\.mid",  # MIDI/melody and MIDI/chords have the same tunes in parts
            music_sha256="6a8b22b46ca040fdd4e73d5c42acaf43c6c15003fcef2e3dcefbbcc927093d27",
        ),
        Published(
            "pop909",
            "POP909, piano arrangements of Chinese pop songs",
            "MIT",
            _GITHUB.format("music-x-lab/POP909-Dataset", "d83e6edba6872a704f5d3b8b32f5cb540088dae6"),
            "POP909-Dataset-d83e6edba6872a704f5d3b8b32f5cb540088dae6.zip",
            r"POP909/\d+/[^/]+\.mid",  # POP909/*/versions has the same songs in other versions
            music_sha256="f3c1c4c15ca49cf9cdec86c66af0acc600ad363fed0f39f56b33538a7347daa1",
        ),
        Published(
            "maestro",
            "MAESTRO v3.0.0, piano performances",
            "CC BY-NC-SA 4.0, for non-commercial use only",
            _MAGENTA.format("maestro-v3.0.0-midi.zip"),
            "maestro-v3.0.0-midi.zip",
            r".+\.midi",
            archive_sha256="70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
        ),
    )
}
