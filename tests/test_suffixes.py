"""The index of every passage, against a search that tries each place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midiaug.data.fingerprint import TopLine
from midiaug.suffixes import END, Suffixes, letters_of


def line(pitches: list[int], gaps: list[int]) -> TopLine:
    """A melody: its pitches, and the onset gap in front of each but the first, which is left out."""
    return TopLine(np.cumsum([0.0, *gaps[1 : len(pitches)]]), np.array(pitches, np.int64))


def index(lines: list[TopLine]) -> Suffixes:
    return Suffixes([letters_of(one, END) for one in lines])


def same(one: TopLine, at: int, other: TopLine, there: int, notes: int) -> bool:
    """Whether so many notes are the same passage: the intervals, and the ratio of each gap to the one before it."""
    if at + notes > len(one.pitches) or there + notes > len(other.pitches):
        return False
    first, second = (
        TopLine(melody.onsets[start : start + notes], melody.pitches[start : start + notes])
        for melody, start in ((one, at), (other, there))
    )
    return np.array_equal(first.intervals, second.intervals) and np.array_equal(first.ratios, second.ratios)


def stands(sought: TopLine, at: int, lines: list[TopLine], place: int, notes: int) -> bool:
    """Whether so many notes are the same passage at a place that counts the notes of all lines."""
    starts = np.cumsum([0, *(len(one.pitches) for one in lines)])
    number = int(np.searchsorted(starts, place, side="right")) - 1
    return same(sought, at, lines[number], place - int(starts[number]), notes)


def longest(sought: TopLine, lines: list[TopLine]) -> int:
    """The longest passage by trying each pair of places, 0 where no interval is shared."""
    best = 0
    for other in lines:
        for at in range(len(sought.pitches)):
            for there in range(len(other.pitches)):
                notes = max(best, 1)
                while same(sought, at, other, there, notes + 1):
                    notes += 1
                best = notes if notes > max(best, 1) else best
    return best


# few pitches and gaps, so that passages recur
MELODY = st.integers(2, 24).flatmap(
    lambda size: st.builds(
        line,
        st.lists(st.sampled_from([60, 62, 64]), min_size=size, max_size=size),
        st.lists(st.sampled_from([1, 2]), min_size=size, max_size=size),
    )
)


@settings(deadline=None, max_examples=150)
@given(lines=st.lists(MELODY, min_size=1, max_size=5), sought=MELODY)
def test_the_longest_passage_is_the_one_that_trying_each_place_finds(lines, sought):
    notes, at, place = index(lines).longest(sought)
    assert notes == longest(sought, lines)
    if notes:
        assert stands(sought, at, lines, place, notes)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), length=st.integers(2, 300), before=st.integers(0, 40))
def test_a_passage_of_any_length_is_found_whole(seed, length, before):
    generator = np.random.default_rng(seed)
    pitches, gaps = generator.integers(40, 90, 400).tolist(), generator.integers(1, 9, 400).tolist()
    lines = [line(pitches, gaps), line(pitches[::-1], gaps)]
    passage = line([pitch + 5 for pitch in pitches[before : before + length]], gaps[before : before + length])
    notes, at, place = index(lines).longest(passage)
    assert (notes, at) == (len(passage.pitches), 0)
    assert stands(passage, 0, lines, place, notes)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), wrong=st.lists(st.integers(0, 119), min_size=1, max_size=12, unique=True))
def test_among_melodies_that_differ_in_a_note_each_the_longest_passage_is_found(seed, wrong):
    generator = np.random.default_rng(seed)
    pitches, gaps = generator.integers(50, 60, 120).tolist(), generator.integers(1, 5, 120).tolist()

    def changed(at: int, pitch: int) -> TopLine:
        return line([*pitches[:at], pitch, *pitches[at + 1 :]], gaps)

    # note 60 of what is sought is wrong, and in each melody another, so a passage lies between the two or beside them
    lines = [changed(at, 61 + number) for number, at in enumerate(wrong)]
    borders = [sorted([-1, at, 60, 120]) for at in wrong]
    expected = max(int(np.diff(edges).max()) - 1 for edges in borders)
    assert index(lines).longest(changed(60, 20))[0] == expected


def test_a_passage_does_not_run_on_from_one_melody_into_the_next():
    first, second = line([60, 62, 64, 65], [1] * 4), line([65, 67, 69, 71], [1] * 4)
    assert index([first, second]).longest(line([60, 62, 64, 65, 67, 69, 71], [1] * 7))[0] == 4


def test_many_copies_of_the_same_melody_are_one_passage():
    melody = line([60, 64, 67] * 30, [1, 2, 1] * 30)
    assert index([melody] * 20).longest(melody)[0] == 90
    assert index([line([60] * 500, [1] * 500)]).longest(line([70] * 300, [2] * 300))[0] == 300


def test_the_rhythm_in_front_of_a_passage_and_behind_it_does_not_count():
    melody = line([60, 67, 62, 71, 64], [1, 1, 1, 2, 1])
    other = line([70, 60, 67, 62, 71, 64, 50], [1, 3, 1, 1, 2, 1, 7])
    assert index([melody]).longest(other)[:2] == (5, 1)


@pytest.mark.parametrize("melodies", [[], [line([60, 62], [1, 1])]], ids=["none", "another"])
def test_nothing_is_found_where_no_interval_is_shared(melodies):
    assert index(melodies).longest(line([60, 66, 60], [1] * 3)) == (0, 0, 0)


@pytest.mark.parametrize("leap", [-127, 127])
def test_the_widest_leaps_are_told_apart(leap):
    wide = line([127 if leap < 0 else 0, 0 if leap < 0 else 127, 64], [1] * 3)
    assert index([wide]).longest(wide)[0] == 3
    assert index([wide]).longest(line([0, 126], [1] * 2)) == (0, 0, 0)
