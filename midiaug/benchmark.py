"""Measure the loaders on this machine and corpus: `python -m midiaug.benchmark`."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.measuring.settings import checked_benchmark


@command("benchmark")
def main(config: DictConfig) -> None:
    """Check the settings, measure, and write the figures and a picture of them."""
    settings = checked_benchmark(config)
    directory = Path(HydraConfig.get().runtime.output_dir)
    from midiaug.measuring.measurements import run_benchmark  # loads in seconds, and a wrong setting needs none of it

    run_benchmark(settings, directory)


if __name__ == "__main__":
    main()
