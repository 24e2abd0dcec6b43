"""A checkpoint of other music or another draw is refused, and what differs is named."""

import pytest

from midiaug.data.identity import check_identity
from midiaug.errors import ConfigError

OWN = {"corpus": "a", "store": "b", "validation": "c", "data.window": 64, "aug.original": 0.0}


def test_a_checkpoint_of_the_same_data_may_hold_more():
    check_identity(OWN, OWN | {"position": None})


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"corpus": "x"}, "ckpt: the music is not what the checkpoint was trained on; resume with the same files"),
        ({"store": "x"}, "ckpt: the tokenizer is not what the checkpoint was trained on"),
        ({"validation": "x"}, "ckpt: the split is not what the checkpoint was trained on"),
        ({"data.window": 32}, "ckpt: trained with data.window=32, and this run has 64; use the same"),
        ({"aug.original": 0.5, "data.window": 32}, "ckpt: trained with data.window=32"),
    ],
)
def test_the_first_thing_that_differs_is_named(other, sentence):
    with pytest.raises(ConfigError) as refusal:
        check_identity(OWN, OWN | other)
    assert str(refusal.value).startswith(sentence)


def test_what_an_older_checkpoint_does_not_say_differs():
    with pytest.raises(ConfigError, match=r"trained with aug\.original=None, and this run has 0\.0"):
        check_identity(OWN, {key: value for key, value in OWN.items() if key != "aug.original"})
