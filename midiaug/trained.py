"""A trained model with all that its checkpoint says of it: its tokenizer, its weights, its music and its split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.data.split import unpacked
from midiaug.errors import CheckpointError
from midiaug.learner import Learner, read_checkpoint


@dataclass(frozen=True)
class Trained:
    """What a checkpoint holds.

    learner: the model, in eval mode, with its tokenizer. arguments: those of its MidiDataModule, as plain data.
    split: the content of split.json. corpus: the key of the pieces, as Corpus has it.
    """

    path: Path
    learner: Learner
    arguments: dict[str, Any]
    split: dict[str, Any]
    corpus: str

    def data(self, path: str | None = None, **others: Any) -> MidiDataModule:
        """The data module of the run, with the same split.

        path: where the music is now, if it was moved. others: further arguments that are to be other ones.
        """
        arguments = self.arguments | others | ({} if path is None else {"path": path})
        shifts = arguments.pop("shifts")
        return MidiDataModule(
            tokenizer=self.learner.tokenizer,
            shifts=None if shifts is None else Shifts.of(*shifts),
            split=self.split,
            **arguments,
        )


def load_trained(path: Path) -> Trained:
    """Open a checkpoint. Raises CheckpointError where no run wrote it, it is damaged, or of an older version."""
    content = read_checkpoint(path)
    data = content["MidiDataModule"]
    if not {"arguments", "split", "corpus"} <= set(data):
        raise CheckpointError(f"ckpt={path}: an older version of midiaug wrote it; train again, or use that version")
    return Trained(path, Learner.of(content), data["arguments"], unpacked(data["split"]), data["corpus"])
