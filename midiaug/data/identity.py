"""What a resumed run must agree with its checkpoint in: the music, the tokens, the split and the draw."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midiaug.data.digests import digest
from midiaug.errors import ConfigError

_WORDS = {"corpus": "the music", "store": "the tokenizer", "validation": "the split"}


def identity(corpus: str, store: str, validation: NDArray[np.bool_]) -> dict[str, Any]:
    """What stands for the music: the keys of the corpus and of the store, and (pieces,) which are validated on."""
    return {"corpus": corpus, "store": store, "validation": digest(np.packbits(validation).tobytes()).hex()}


def check_identity(own: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    """Raise ConfigError for a checkpoint of other music or another draw, with the first key that differs.

    own: of this run. saved: of the checkpoint.
    """
    for key, value in own.items():
        if saved.get(key) != value:
            if key not in _WORDS:
                raise ConfigError(f"ckpt: trained with {key}={saved.get(key)}, and this run has {value}; use the same")
            what = f"{_WORDS[key]} is not what the checkpoint was trained on"
            raise ConfigError(f"ckpt: {what}; resume with the same files and settings")
