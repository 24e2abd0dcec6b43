"""What runs a sweep's jobs side by side or steers them: which extra brings it, and what its failures mean."""

import re
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from midiaug.directories import shown
from midiaug.errors import JobError

EXTRAS = {"joblib": "joblib", "submitit_local": "slurm", "submitit_slurm": "slurm", "ray": "ray", "optuna": "optuna"}


def job_error(error: Exception) -> JobError | None:
    """A launcher's own failure as one that a user can mend; None for any other error."""
    text = str(error)
    if isinstance(error, BrokenProcessPool):  # also joblib's
        return JobError(
            "the process of a job was killed, most often for lack of memory; "
            "run fewer at a time with hydra.launcher.n_jobs=1"
        )
    result = re.search(r"with path (.*)/[^/\n]*_result\.pkl\n", text)
    if type(error).__name__ in ("UncompletedJobError", "FailedJobError") and result:
        return JobError(
            f"a job ended without a result, killed or out of time; what it said is in {shown(Path(result[1]))}"
        )
    if type(error).__name__ == "FailedSubmissionError" or 'Could not detect "srun"' in text:
        return JobError(
            f"hydra/launcher=submitit_slurm: Slurm does not take the jobs ({text.splitlines()[0].rstrip('?')}); "
            "start it where sbatch works, or use submitit_local"
        )
    return None
