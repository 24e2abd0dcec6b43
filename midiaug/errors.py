"""What a user can mend: each error is one sentence that says what, where and what to do."""


class MidiaugError(Exception):
    """Any failure whose text alone tells a user what to change."""


def one_line(error: BaseException) -> str:
    """What another library says of a failure, at most 200 characters on one line; its kind where it says nothing."""
    return " ".join(str(error).split())[:200] or type(error).__name__


class ConfigError(MidiaugError, ValueError):
    """A setting that cannot be used; the text names its key."""


class CorpusError(MidiaugError):
    """No music to work with: a missing folder, or nothing readable in it."""


class QuarantinedFile(MidiaugError):
    """One file that cannot be used; the text is the reason, without the file's name."""


class PassingFault(QuarantinedFile):
    """One file that cannot be used now; the reason may be gone the next time, such as a disk that does not answer."""


class SplitError(MidiaugError):
    """A corpus that cannot be split into training and validation pieces."""


class RouteError(MidiaugError):
    """A tokenizer whose tokens cannot be shifted by table."""


class PitchOutOfRange(MidiaugError, ValueError):
    """A shift that takes a note out of the range that can be written."""


class CacheError(MidiaugError):
    """The cache cannot be written, or cannot be trusted."""


class OutputError(MidiaugError):
    """A folder that cannot be written, or that holds what may not be written over."""


class CheckpointError(MidiaugError):
    """A checkpoint that is missing, damaged or of another run."""


class TrainingError(MidiaugError):
    """A training that came to nothing."""


class CheckFailed(MidiaugError):
    """Transposed music that is not what it should be; the text names the first piece and place."""


class BenchmarkError(MidiaugError):
    """Something that cannot be measured here."""


class JobError(MidiaugError):
    """A job of a sweep that its launcher could not start or lost."""


class ComparisonError(MidiaugError):
    """A run that cannot be compared, or nothing to compare."""
