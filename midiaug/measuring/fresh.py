"""A process of its own that only gets ready to train: `python -m midiaug.measuring.fresh SETTINGS.json`.

It times the imports, and from there to the first batch, and prints both as one line of JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def first_batch(file: Path) -> dict[str, float]:
    """Seconds from settings, as `run_fresh` writes them, to the first batch, the imports apart."""
    keys: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    begin = time.perf_counter()
    from midiaug.run import make_data  # what is timed first
    from midiaug.settings import TokenizerSettings, TrainAugSettings, TrainDataSettings, TrainSettings

    imported = time.perf_counter()
    settings = TrainSettings(
        data=TrainDataSettings(**keys["data"]),
        aug=TrainAugSettings(**keys["aug"]),
        tokenizer=TokenizerSettings(**keys["tokenizer"]),
        seed=keys["seed"],
    )
    data = make_data(settings)
    data.setup()
    next(iter(data.train_dataloader()))
    ready = time.perf_counter()
    data.teardown()
    return {"imports_s": imported - begin, "first_batch_s": ready - imported}


if __name__ == "__main__":
    print(json.dumps(first_batch(Path(sys.argv[1]))))  # noqa: T201
