"""Before a run: transpose a few pieces, check them and show them: `python -m midiaug.preview`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.inspection.settings import checked_preview


@command("preview")
def main(config: DictConfig) -> None:
    """Check the settings, transpose, check the music, and write the picture, the report and the MIDI files."""
    settings = checked_preview(config)
    directory = Path(HydraConfig.get().runtime.output_dir)
    from midiaug.inspection.previewing import run_preview  # loads in seconds, and a wrong setting needs none of it

    run_preview(settings, directory)


if __name__ == "__main__":
    main()
