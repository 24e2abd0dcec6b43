"""The curves of a run for TensorBoard, where a full disk is one error and not three."""

import threading
from pathlib import Path

from pytorch_lightning.core.saving import save_hparams_to_yaml
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from midiaug.files import write_whole
from midiaug.places import fault_of


class Curves(TensorBoardLogger):
    """Lightning's logger; hparams.yaml is written whole or not at all, and what ended a run is not covered up."""

    @rank_zero_only
    def save(self) -> None:
        """Write the events so far, and hparams.yaml once."""
        self.experiment.flush()
        path = Path(self.log_dir, self.NAME_HPARAMS_FILE)
        if not path.is_file():
            write_whole(path, lambda temporary: save_hparams_to_yaml(temporary, self.hparams))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write the rest and close. After a failure the rest may stay unwritten: the failure itself counts."""
        try:
            super().finalize(status)
        except OSError as error:
            if status == "success" or fault_of(error) is None:
                raise


def quiet_thread(failure: threading.ExceptHookArgs) -> None:
    """Show the failure of a thread, but not that TensorBoard's could not write: it raises that in the next call too."""
    of_tensorboard = type(failure.thread).__module__.startswith("tensorboard.")
    if not (of_tensorboard and failure.exc_value is not None and fault_of(failure.exc_value) is not None):
        threading.__excepthook__(failure)
