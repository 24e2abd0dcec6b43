"""Write the transposed corpus to disk, for other tools: `python -m midiaug.materialize data.path=DIR out=DIR2`."""

from dataclasses import asdict
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.files import write_json
from midiaug.offline.settings import checked_for_materialize


@command("materialize")
def main(config: DictConfig) -> None:
    """Check the settings, write the copies, and leave what was left out in the run's directory."""
    settings = checked_for_materialize(config)
    # MidiTok loads in seconds, and a wrong setting needs none of it
    from midiaug.offline.materialization import materialize
    from midiaug.tokenizers import make_tokenizer

    tokenizer = make_tokenizer(settings.tokenizer.name, settings.tokenizer.params, settings.tokenizer.file)
    summary, left_out = materialize(settings, tokenizer)
    directory = Path(HydraConfig.get().runtime.output_dir)
    write_json(directory / "materialize.json", asdict(summary))
    write_json(directory / "quarantine.json", [asdict(entry) for entry in left_out])


if __name__ == "__main__":
    main()
