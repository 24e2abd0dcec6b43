"""A trained model with all that its checkpoint says of it: its tokenizer, its weights, its music and its split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midiaug.checkpoint_reading import read_checkpoint
from midiaug.data.module import MidiDataModule
from midiaug.data.shifts import Shifts
from midiaug.data.split import unpacked
from midiaug.errors import CacheError, CheckpointError, CorpusError, OutputError, SplitError, one_line
from midiaug.learner import Learner

_ADVICE = "give a checkpoint as a run wrote it"


@dataclass(frozen=True)
class Trained:
    """What a checkpoint holds.

    learner: the model, in eval mode, with its tokenizer. arguments: those of its MidiDataModule, as plain data.
    split: the content of split.json. corpus: the key of the pieces, as Corpus has it. row: its last validation, as
    metrics.csv has it; empty where it had none yet.
    """

    path: Path
    learner: Learner
    arguments: dict[str, Any]
    split: dict[str, Any]
    corpus: str
    row: dict[str, float]

    def data(self, path: str | None = None, **others: Any) -> MidiDataModule:
        """The data module of the run, with the same split.

        path: where the music is now, if it was moved. others: further arguments that are to be other ones.
        Raises CheckpointError for arguments that no run wrote.
        """
        try:
            arguments = self.arguments | others | ({} if path is None else {"path": path})
            if path is not None and arguments.get("source") != "parquet":
                arguments["source"] = "folder"  # a copy of what was bundled or downloaded
            shifts = arguments.pop("shifts")
            return MidiDataModule(
                tokenizer=self.learner.tokenizer,
                shifts=None if shifts is None else Shifts.of(*shifts),
                split=self.split,
                **arguments,
            )
        except (CacheError, CorpusError, OutputError, SplitError, OSError):
            raise
        except Exception as error:  # junk fails in every way
            raise _unusable(self.path, "its music", error) from error


def load_trained(path: Path) -> Trained:
    """Open a checkpoint.

    Raises CheckpointError, with the file's name, where no run wrote it, it is damaged or of an older version, its
    weights are no numbers, or what it says of its model, its tokenizer or its music cannot be used.
    """
    content = read_checkpoint(path)
    data = content["MidiDataModule"]
    if isinstance(data, dict) and not {"arguments", "split", "corpus"} <= set(data):
        raise CheckpointError(f"ckpt={path}: an older version of midiaug wrote it; train again, or use that version")
    learner = _learner_of(content, path)
    try:
        split, arguments, corpus = unpacked(data["split"]), dict(data["arguments"]), data["corpus"]
        if not isinstance(corpus, str):
            raise TypeError(f"the key of its pieces is {corpus!r}")
    except Exception as error:  # junk fails in every way
        raise _unusable(path, "its music", error) from error
    return Trained(path, learner, arguments, split, corpus, _last_row(content))


def _last_row(content: dict[str, Any]) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in content["callbacks"]["History"]["rows"][-1].items()}
    except Exception:  # junk fails in every way, and the music can be made without it
        return {}


def _learner_of(content: dict[str, Any], path: Path) -> Learner:
    try:
        _check_sizes(content["recipe"]["model"], content["state_dict"])
        _ = content["recipe"]["tokenizer"]["config"]  # without it MidiTok would take its own
        learner = Learner.of(content)
    except CheckpointError as error:
        raise CheckpointError(f"ckpt={path}: {str(error).removeprefix('ckpt: ')}") from error
    except OSError:  # the tokenizer is read through a temporary file: a full disk is no fault of the checkpoint
        raise
    except Exception as error:  # junk fails in every way
        raise _unusable(path, "its model and its tokenizer", error) from error
    if not all(bool(weight.isfinite().all()) for weight in learner.state_dict().values()):
        raise CheckpointError(
            f"ckpt={path}: some of its weights are no numbers; its training failed: give an earlier checkpoint, or "
            "train again with a lower optim.lr"
        )
    return learner


def _check_sizes(model: dict[str, Any], weights: dict[str, Any]) -> None:
    """Raise CheckpointError where the weights are of other sizes than the model: before one of absurd size is made."""
    recurrent = [name for name in weights if name.startswith("model.recurrent.weight_hh_l")]
    sizes = {
        "embed": weights["model.embedding.weight"].shape[1],
        "hidden": weights["model.recurrent.weight_hh_l0"].shape[1],
        "layers": len(recurrent),
    }
    for name, size in sizes.items():
        if model.get(name, size) != size:
            raise CheckpointError(f"its weights are of model.{name}={size}, and it says {model[name]}; {_ADVICE}")


def _unusable(path: Path, what: str, error: Exception) -> CheckpointError:
    reason = f"{type(error).__name__}: {one_line(error)}"
    return CheckpointError(f"ckpt={path}: what it says of {what} cannot be used ({reason}); {_ADVICE}")
