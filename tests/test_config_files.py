"""Which keys and options the YAML files hold."""

from midiaug.config_files import config_dir, known_keys, options_of


def test_the_known_keys_are_those_of_the_files():
    assert {"data.path", "aug.shifts", "aug.draw", "model.hidden", "trainer.max_epochs", "seed", "ckpt"} <= set(
        known_keys()
    )
    assert {"prompts", "aug.draw"} <= set(known_keys())
    assert "prompts" in known_keys("generate")
    assert "prompts" not in known_keys("train")
    assert known_keys("no such command") == known_keys()
    assert not [key for key in known_keys() if key.startswith(("experiment.", "hparams.", "hydra"))], "files, no groups"


def test_the_options_of_a_group_are_its_files():
    assert options_of("model") == ["gru", "lstm"]
    assert options_of("seed") == options_of("") == []
    assert (config_dir() / "train.yaml").is_file()
