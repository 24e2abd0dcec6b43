"""Bars and beats by the time signatures of a score; 4/4 until the first."""

from dataclasses import dataclass

from symusic.core import ScoreTick


@dataclass(frozen=True)
class Bar:
    """number: counted from 0. start, end: in ticks; a change of meter ends a bar early. beat: its ticks, a fraction.

    length: the ticks that its signature gives it.
    """

    number: int
    start: int
    end: int
    length: int
    beat: float


class Meter:
    """Where the bars of a score are. Of several signatures at one time the last holds."""

    def __init__(self, score: ScoreTick) -> None:
        self._quarter = int(score.ticks_per_quarter)
        signs = {int(sign.time): (int(sign.numerator), int(sign.denominator)) for sign in score.time_signatures}
        self._changes = sorted(({0: (4, 4)} | signs).items())

    def bar_at(self, tick: int) -> Bar:
        """The bar that a time of 0 or later, in ticks, lies in."""
        number, start = 0, 0
        length, beat = self._lengths(4, 4)
        for time, (beats, unit) in self._changes:
            if time > tick:
                break
            number += -(-(time - start) // length)
            start = time
            length, beat = self._lengths(beats, unit)
        inside = (tick - start) // length
        begin = start + inside * length
        following = min((time for time, _ in self._changes if time > begin), default=begin + length)
        return Bar(number + inside, begin, min(begin + length, following), length, beat)

    def place_of(self, tick: int) -> tuple[int, float]:
        """The bar and the beat of a time in ticks, both counted from 1."""
        bar = self.bar_at(tick)
        return bar.number + 1, round((tick - bar.start) / bar.beat + 1, 3)

    def _lengths(self, beats: int, unit: int) -> tuple[int, float]:
        beats, unit = max(1, beats), max(1, unit)
        return max(1, 4 * self._quarter * beats // unit), 4 * self._quarter / unit


def most_bars(score: ScoreTick) -> int:
    """As many bars as the score spans, or more: what is found in a fraction of the time of counting them."""
    signs = [(max(1, int(sign.numerator)), max(1, int(sign.denominator))) for sign in score.time_signatures]
    shortest = min(4 * int(score.ticks_per_quarter) * beats // unit for beats, unit in ((4, 4), *signs))
    return int(score.end()) // max(1, shortest) + len(signs) + 1
