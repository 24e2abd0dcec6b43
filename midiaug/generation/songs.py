"""From tokens to music: the notes of a sample, and with a prompt, all of the prompt in front of them."""

from dataclasses import dataclass

from miditok import TokSequence
from symusic.core import ScoreTick

from midiaug.data.pieces import count_bars
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import Prompt, between
from midiaug.generation.sampling import Sample


@dataclass(frozen=True)
class Song:
    """A piece as it is written. new: only what was generated, its first bar at time 0. start_beat: where that begins.

    bars: how many were generated. ended: the model ended the piece itself. end_beat: how far it was to go at most.
    """

    score: ScoreTick
    new: ScoreTick
    start_beat: float
    bars: int
    ended: bool
    end_beat: float


def make_song(sample: Sample, grammar: Grammar, prompt: Prompt | None = None) -> Song:
    """Decode a sample. What would ring beyond its last bar ends there; what sounds at its end is ended.

    With a prompt its tempos come along, its time signatures where the tokenizer writes none, the instrument of the
    track that is continued, and the tracks that are not.
    """
    score = _decoded(sample, grammar, prompt)
    quarter = int(score.ticks_per_quarter)
    score = between(score, 0, sample.limit)
    written, begin = score.copy(), 0
    if prompt is not None:
        begin = round(prompt.beats * quarter)
        _bring(score, prompt, grammar)
    for track in score.tracks:
        track.sort()
    end = max(int(written.end()), begin) + 1
    new = between(written, begin, end)
    new.tracks = type(score.tracks)([track for track in new.tracks if len(track.notes)])
    return Song(score, new, begin / quarter, count_bars(new), sample.ended, sample.limit / quarter)


def _decoded(sample: Sample, grammar: Grammar, prompt: Prompt | None) -> ScoreTick:
    tokenizer = grammar.tokenizer
    sequence = TokSequence(ids=written_ids(sample.ids, grammar))
    tokenizer.complete_sequence(sequence)
    if grammar.one_stream:
        return tokenizer.decode(sequence)  # type: ignore[no-any-return]
    program = 0 if prompt is None or prompt.track is None else int(prompt.score.tracks[prompt.track].program)
    return tokenizer.decode([sequence], [(program, False)])  # type: ignore[no-any-return]


def written_ids(ids: list[int], grammar: Grammar) -> list[int]:
    """The ids before merging, and behind them an end for each note that still sounds."""
    vocabulary = dict(grammar.tokenizer.vocab)
    base = [vocabulary[name] for number in ids for name in grammar.parts[number]]
    return base + _endings(base, grammar)


def _endings(ids: list[int], grammar: Grammar) -> list[int]:
    """A note end for each note that still sounds, a quarter after the last token where that began one."""
    if not grammar.has_offs:
        return []
    vocabulary, names = dict(grammar.tokenizer.vocab), [grammar.base.parts[number][0] for number in ids]
    sounding: dict[tuple[str, str, str], None] = {}
    program = ""
    for name in names:
        family, _, value = name.partition("_")
        if family == "Program":
            program = name
        elif family in ("NoteOn", "DrumOn"):
            sounding[(program, family.replace("On", "Off"), value)] = None
        elif family in ("NoteOff", "DrumOff"):
            sounding.pop((program, family, value), None)
    if not sounding:
        return []
    shifts = [name for name in vocabulary if name.startswith("TimeShift_1.0.")]
    ended = shifts[:1] if names[-1].startswith("Velocity") else []
    for before, family, value in sounding:
        ended += [*([before] if before else []), f"{family}_{value}"]
    return [vocabulary[name] for name in ended]


def _bring(score: ScoreTick, prompt: Prompt, grammar: Grammar) -> None:
    """Take from the prompt what its tokens do not say."""
    quarter = int(score.ticks_per_quarter)
    source = prompt.score.resample(quarter, min_dur=1)
    if not any(name.startswith("Tempo_") for name in dict(grammar.tokenizer.vocab)) and len(source.tempos):
        score.tempos = source.tempos
    if not any(name.startswith("TimeSig_") for name in dict(grammar.tokenizer.vocab)) and len(source.time_signatures):
        score.time_signatures = source.time_signatures
    score.key_signatures = source.key_signatures
    if prompt.track is not None and len(score.tracks):
        score.tracks[0].name = source.tracks[prompt.track].name
        for number, track in enumerate(source.tracks):
            if number != prompt.track and len(track.notes):
                score.tracks.append(track)
