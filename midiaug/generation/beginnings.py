"""What each piece begins with: nothing, one file, or validation pieces; and what has to be said of it."""

import logging
from collections import Counter
from collections.abc import Sequence

from miditok.constants import TIME_SIGNATURE_RANGE

from midiaug.data.report import say
from midiaug.generation.continuing import choose_prompts
from midiaug.generation.counterpart import Pieces
from midiaug.generation.grammar import Grammar
from midiaug.generation.prompts import Prompt
from midiaug.generation.settings import GenerateSettings

log = logging.getLogger("midiaug")


def beginnings(
    settings: GenerateSettings, prompt: Prompt | None, pieces: Pieces | None, grammar: Grammar
) -> list[Prompt | None]:
    """The prompt of each piece, said on the screen. prompt: that of a file. pieces: the validation pieces."""
    if settings.prompts is not None and pieces is not None:
        chosen = choose_prompts(pieces, settings.n, settings.bars, settings.length, grammar, settings.shift)
        _warn_of_uncounted(chosen, grammar)
        return [*chosen]
    if prompt is not None:
        moved = f", shifted by {settings.shift:+d}" if settings.shift else ""
        say("prompt", f"{prompt.name}: {prompt.bars} bars, {prompt.score.note_num()} notes{moved}" + _track_of(prompt))
        if prompt.whole.end() <= round(prompt.beats * prompt.whole.ticks_per_quarter) and prompt.bars > 1:
            say("", "that is all of it")
        if prompt.lost:
            log.warning(
                "%d notes of the prompt were left out: the checkpoint's tokenizer has no token for them", prompt.lost
            )
        _warn_of_uncounted([prompt], grammar)
    return [prompt] * settings.n


def uncounted(prompts: Sequence[Prompt | None]) -> dict[str, int]:
    """How many of the prompts have a time signature that the tokenizer cannot write, by its name: {"3/4": 2}."""
    return dict(sorted(Counter(one.uncounted for one in prompts if one is not None and one.uncounted).items()))


def _warn_of_uncounted(prompts: Sequence[Prompt], grammar: Grammar) -> None:
    found = uncounted(prompts)
    if not found:
        return
    names, count = ", ".join(found), sum(found.values())
    many = f"{count} of the {len(prompts)} prompts {'is' if count == 1 else 'are'}"
    log.warning(
        "%s in %s, which the checkpoint's tokenizer cannot write: what follows is counted in bars of 4/4, and may not "
        "keep the measure; %s",
        f"prompt {prompts[0].name} is" if len(prompts) == 1 else many,
        names,
        _advice(list(found), grammar),
    )


def _advice(names: Sequence[str], grammar: Grammar) -> str:
    if grammar.names_signatures:
        return f"it has no token for {', '.join(names)}: its time_signature_range names those that it has"
    usual = {f"{count}/{unit}" for unit, counts in TIME_SIGNATURE_RANGE.items() for count in counts}
    odd = [name for name in names if name not in usual]
    named = f", if its time_signature_range names {', '.join(odd)}" if odd else ""
    return "a model trained with +tokenizer.params.use_time_signatures=true can" + named


def _track_of(prompt: Prompt) -> str:
    if prompt.track is None or len(prompt.score.tracks) == 1:
        return ""
    return f"; track {prompt.track + 1} of {len(prompt.score.tracks)} is continued, the others stop where it ends"
