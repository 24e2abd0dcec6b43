"""The names of run folders."""

import pytest

from midiaug.directories import run_name


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["ckpt='runs/0_aug=none,model=gru/checkpoints/best.ckpt'", "n=3"], "n=3"),
        (["ckpt=runs/a/best.ckpt"], "default"),
        (["n=3", "data.path='tunes,seed=4'", "seed=5"], "n=3,seed=5"),
    ],
)
def test_a_path_that_holds_what_looks_like_a_key_does_not_name_the_folder(words, name):
    assert run_name(",".join(words), words) == name
