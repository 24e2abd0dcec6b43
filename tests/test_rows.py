"""The rows that the screen and the page have in common."""

from comparing import MUSIC

from midiaug.comparison.rows import augmented_rows, music_rows


def test_the_rows_of_the_music_hold_its_figures():
    rows = dict(music_rows(MUSIC))
    assert rows["pieces"] == "10 (9 to train on, 1 to validate on)"
    assert rows["notes"] == "1,234, 34 of drums"
    assert rows["pitches"] == "C4 to C4"
    assert rows["keys, estimated"] == "G major 6, D major 4"
    assert augmented_rows(MUSIC) == [["none (1)", "25", "1.00", "5,000", "", "", "", "0"]]
