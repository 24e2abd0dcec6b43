"""New music from a trained model, from nothing or going on from a tune: `python -m midiaug.generate ckpt=best`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.directories import trained_checkpoint
from midiaug.generation.settings import checked_generate
from midiaug.generation.sound import player


@command("generate")
def main(config: DictConfig) -> None:
    """Check the settings, generate, and write the music and its figures."""
    settings = checked_generate(config)
    job, directory = HydraConfig.get(), Path(HydraConfig.get().runtime.output_dir)
    elsewhere = any(word.startswith(("hydra.run.dir=", "hydra.sweep.")) for word in job.overrides.hydra)
    ckpt = trained_checkpoint(settings.ckpt or "best", chosen=None if elsewhere else directory)
    soundfont = player(settings.wav, settings.soundfont)
    from midiaug.generation.composing import generate_music  # loads in seconds, and a wrong setting needs none of it

    generate_music(settings, ckpt, directory, soundfont)


if __name__ == "__main__":
    main()
