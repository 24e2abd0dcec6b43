"""Compare runs and what augmentation gained: `python -m midiaug.compare`; and what it does to the music."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.comparison.settings import checked_compare


@command("compare")
def main(config: DictConfig) -> None:
    """Check the settings, compare, and write the figures and a page that shows them."""
    settings = checked_compare(config)
    directory = Path(HydraConfig.get().runtime.output_dir)
    from midiaug.comparison.report import compare  # loads in seconds, and a wrong setting needs none of it

    compare(settings, directory)


if __name__ == "__main__":
    main()
