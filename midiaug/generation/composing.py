"""From a checkpoint to a folder of new music: MIDI files, a page of piano rolls, sound, and the figures."""

import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from midiaug.data.columns import columns_of, kind_of
from midiaug.data.report import say
from midiaug.directories import shown
from midiaug.errors import CacheError, CheckpointError, CorpusError, SplitError
from midiaug.files import write_json, write_whole
from midiaug.generation.beginnings import beginnings, uncounted
from midiaug.generation.continuing import key_report, say_keys
from midiaug.generation.counterpart import real_continuations
from midiaug.generation.figures import RealMusic, copied_much, figures, notes_below, open_corpus, table_of
from midiaug.generation.grammar import Grammar
from midiaug.generation.progress import drawing_bar
from midiaug.generation.prompts import Prompt, make_prompt, read_prompt
from midiaug.generation.sampling import Choice, Sampled, sample
from midiaug.generation.settings import GenerateSettings
from midiaug.generation.songs import Song, make_song
from midiaug.generation.sound import play
from midiaug.model import RecurrentLM
from midiaug.rolls import Roll, plot_rolls
from midiaug.trained import Trained, load_trained

log = logging.getLogger("midiaug")
_OTHER_CHECKPOINT = "give another checkpoint, or train again with a lower optim.lr"
_MOST_ROLLS, _MOST_KEYS = 12, 6
_BEATS_SHOWN = 32.0
# of what guessing costs: trained models are at a tenth to a sixth of it on the README's folk tunes
_BEGINNER = 0.5


def generate_music(settings: GenerateSettings, ckpt: Path, directory: Path, soundfont: Path | None) -> dict[str, Any]:
    """Generate, write everything into the directory, and return what generate.json holds.

    soundfont: to play the music with, None for no sound. Raises MidiaugError before anything is written.
    """
    trained = load_trained(ckpt)
    if columns_of(trained.learner.tokenizer) > 1:
        kind = kind_of(trained.learner.tokenizer)
        raise CheckpointError(
            f"ckpt={shown(ckpt)}: generate does not write with {kind}, a tokenizer of several vocabularies; give a "
            "model that was trained with tokenizer=remi, tsd, midilike or structured"
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _say_model(trained)
    grammar, model = Grammar(trained.learner.tokenizer, device), trained.learner.model.to(device)
    prompt = None
    if settings.prompt is not None:
        whole = read_prompt(settings.prompt, settings.tune, settings.shift)
        prompt = make_prompt(settings.prompt, whole, settings.bars, grammar)
    corpus = _music_of(trained, grammar, settings)
    prompts = beginnings(settings, prompt, None if corpus is None else corpus.pieces, grammar)
    sampled = _sampled(settings, model, grammar, prompts)
    if not sampled.sound:
        raise CheckpointError(f"ckpt={ckpt}: its weights are too large to count with; {_OTHER_CHECKPOINT}")
    songs = [make_song(one, grammar, given) for one, given in zip(sampled.samples, prompts, strict=True)]
    files = _write(songs, prompts, directory)
    given = [one for one in prompts if one is not None]
    if settings.prompts is not None and corpus is not None:
        corpus = replace(corpus, counterpart=real_continuations(given, songs, grammar))
    result = _result(settings, ckpt, sampled, songs, files, corpus)
    result["uncounted"] = uncounted(given)
    if settings.prompts is not None:
        result["prompts"] = key_report(given, songs, settings.length, settings.shift)
    _draw(songs, files, result, directory / "generated.png")
    write_json(directory / "generate.json", result)
    if soundfont is not None:  # last: the music is there even if it cannot be played
        play(files, soundfont)
    _say(result, files, directory, soundfont)
    return result


def _say_model(trained: Trained) -> None:
    """What writes, and how well it knows the music: a beginner's pieces wander, and nothing else would say why."""
    model, row = trained.learner.model, trained.row
    say("model", f"{shown(trained.path)}, {type(model.recurrent).__name__}")
    if not {"epoch", "loss/val", "accuracy/top1"} <= set(row):
        return
    blind = math.log(model.embedding.num_embeddings)
    say(
        "",
        f"epoch {row['epoch']:.0f}: {row['loss/val']:.3f} nats a token on the validation pieces, where guessing costs "
        f"{blind:.3f}; right at the first guess {row['accuracy/top1']:.0%}",
    )
    if row["loss/val"] > _BEGINNER * blind:
        log.warning("the model is a beginner, and what it writes will wander; train it for longer, or on more music")


def _music_of(trained: Trained, grammar: Grammar, settings: GenerateSettings) -> RealMusic | None:
    """The music that the checkpoint was trained on, or None where it is not to be found any more."""
    place = settings.data
    others = {} if place.cache_dir is None else {"cache_dir": place.cache_dir}
    try:
        data = trained.data(place.path, **others)
        if data.corpus.key != trained.corpus:
            log.warning(
                "the music is not quite what the checkpoint was trained on; the figures are those of what is there"
            )
        given = None if settings.prompts is not None else 0 if settings.prompt is None else settings.bars
        return open_corpus(data, grammar, settings.length, settings.seed, given)
    except (CorpusError, CacheError, SplitError) as error:
        if place.path is not None or settings.prompts is not None:
            raise
        say("comparison", f"none with the validation pieces ({error}); data.path=DIR says where they are now")
        return None


def _sampled(
    settings: GenerateSettings, model: RecurrentLM, grammar: Grammar, prompts: Sequence[Prompt | None]
) -> Sampled:
    choice = Choice(settings.temperature, settings.top_k, settings.top_p)
    ids, signatures = [one.ids if one else [] for one in prompts], [one.signature if one else None for one in prompts]
    with drawing_bar(len(prompts), settings.length, settings.max_tokens) as watch:
        return sample(
            model,
            grammar,
            ids,
            settings.length,
            choice,
            max_tokens=settings.max_tokens,
            seed=settings.seed,
            signatures=signatures,
            watch=watch,
        )


def _write(songs: Sequence[Song], prompts: Sequence[Prompt | None], directory: Path) -> list[Path]:
    digits = max(2, len(str(len(songs))))
    files = []
    for number, (song, prompt) in enumerate(zip(songs, prompts, strict=True), 1):
        of = "" if prompt is None else "_" + re.sub(r"[^\w.#+-]+", "_", Path(prompt.name).stem)[:60]
        path = directory / f"{number:0{digits}d}{of}.mid"
        content = song.score.dumps_midi()  # symusic's own writing says nothing of a full disk
        write_whole(path, lambda temporary, content=content: temporary.write_bytes(content))  # type: ignore[misc]
        files.append(path)
    return files


def _result(
    settings: GenerateSettings,
    ckpt: Path,
    sampled: Sampled,
    songs: Sequence[Song],
    files: Sequence[Path],
    corpus: RealMusic | None,
) -> dict[str, Any]:
    found = figures([song.new for song in songs], corpus)
    pieces = found.pop("pieces")
    keys = ["n", "seed", "temperature", "top_k", "top_p", "prompt", "tune", "max_tokens"]
    if settings.prompt is not None or settings.prompts is not None:
        keys += ["bars", "shift"]
    rows = [
        {"file": file.name, "notes": int(song.new.note_num()), "bars": song.bars, "ended": song.ended, "told": one.told}
        | piece
        for song, file, one, piece in zip(songs, files, sampled.samples, pieces, strict=True)
    ]
    return {
        "ckpt": str(ckpt),
        **{key: getattr(settings, key) for key in keys},
        "n": len(songs),
        "max_bars": settings.length,
        "tokens_per_second": round(sampled.tokens_per_second),
        "files": rows,
        **found,
        "prompts": None,
    }


def _draw(songs: Sequence[Song], files: Sequence[Path], result: dict[str, Any], path: Path) -> None:
    rows = list(zip(songs, files, result["files"], strict=True))[:_MOST_ROLLS]
    rolls = [
        Roll(file.stem, song.score, row["key"] or "", [song.start_beat] if song.start_beat else [])
        for song, file, row in rows
    ]
    left_out = f", the first {_MOST_ROLLS} of {len(songs)}" if len(songs) > _MOST_ROLLS else ""
    marked = "; left of the dashed line: the prompt" if any(song.start_beat for song in songs) else ""
    beats = max(song.start_beat for song in songs) + _BEATS_SHOWN
    longest = max(song.score.end() / song.score.ticks_per_quarter for song, _, _ in rows)
    part = f", their first {beats:.0f} quarter notes" if longest > beats else ""
    plot_rolls(rolls, path, title=f"generated{left_out}{part}{marked}", beats=beats)


def _say(result: dict[str, Any], files: Sequence[Path], directory: Path, soundfont: Path | None) -> None:
    notes = sum(row["notes"] for row in result["files"])
    ended = sum(row["ended"] for row in result["files"])
    say("generated", f"{notes:,} notes in {len(files)} pieces, {result['tokens_per_second']:,} tokens/s")
    limits = f"stopped after {result['max_bars']} bars or {result['max_tokens']:,} tokens"
    end = f"{ended} of {len(files)} came to an end of {'its' if ended == 1 else 'their'} own"
    say("", end if ended == len(files) else f"{end}; the others were {limits}")
    if result["against"] is not None:
        say("validation", result["against"])
    log.info("\n%s", table_of(result))
    for line in notes_below(result):
        say("", line)
    if (sentence := copied_much(result)) is not None:
        log.warning("%s", sentence)
    for side, keys in result["keys"].items():
        if keys:
            several = [f"{key} {count}" for key, count in keys.items()]
            more = [] if len(several) <= _MOST_KEYS else ["..."]
            say("keys" if side == "generated" else "", f"{side}: {', '.join(several[:_MOST_KEYS] + more)}")
    if result["prompts"] is not None:
        say_keys(result["prompts"])
    told = Counter(row["told"] for row in result["files"])
    if set(told) != {0}:
        shifts = ", ".join(
            f"{shift:+d} ({count})" if shift else f"none ({count})" for shift, count in told.most_common()
        )
        say("heard", f"by the model, in semitones, how far each prompt was shifted: {shifts}")
    say("music", f"{shown(files[0])}" + (f" and {len(files) - 1} more" if len(files) > 1 else ""))
    if soundfont is not None:
        say("sound", f"a WAV beside each, played with {soundfont.name}")
    say("picture", shown(directory / "generated.png"))
