"""Read, split and tokenize without training: `python -m midiaug.prepare`; with --multirun, shards side by side."""

from dataclasses import asdict
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from midiaug.command import command
from midiaug.data.shards import check_shards
from midiaug.files import write_json
from midiaug.settings import checked_for_prepare


@command("prepare")
def main(config: DictConfig) -> None:
    """Check the settings, prepare, and write what came of it into the run's directory."""
    settings = checked_for_prepare(config)
    keys = asdict(settings.data)
    shards, shard = keys.pop("shards"), keys.pop("shard")
    check_shards(shards, shard, settings.data.limit)
    # Lightning loads in seconds, and a wrong setting needs none of it
    from midiaug.data.merges import Merges
    from midiaug.data.module import MidiDataModule
    from midiaug.data.preparation import prepare
    from midiaug.tokenizers import make_tokenizer

    chosen = settings.tokenizer
    tokenizer = make_tokenizer(chosen.name, chosen.params, chosen.file)
    merges = Merges.of(chosen.train, chosen.vocab_size)
    data = MidiDataModule(tokenizer=tokenizer, merges=merges, seed=settings.seed, **keys)
    result = prepare(data, shards, shard)
    directory = Path(HydraConfig.get().runtime.output_dir)
    write_json(directory / "prepare.json", result.summary())
    write_json(directory / "quarantine.json", [asdict(entry) for entry in result.quarantined])


if __name__ == "__main__":
    main()
