"""The split into training and validation pieces, made before anything is transposed.

Pieces that share their tune in any key form a group, and a whole group goes to one side: a validation piece
whose transposed twin is trained on would close the gap between the losses on paper only.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from midiaug.data.digests import digest
from midiaug.data.flat import Ragged
from midiaug.errors import SplitError
from midiaug.files import write_json

VERSION = 1  # of what a seed draws
_PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Fold:
    """The fold that is validated on, counted from 0, and how many there are."""

    fold: int
    folds: int

    def __str__(self) -> str:
        return f"fold {self.fold} of 0 to {self.folds - 1}"


@dataclass(frozen=True)
class Split:
    """A side and a group for each piece.

    names: the pieces' paths within their source. group: (pieces,) int64. validation: (pieces,) bool.
    fold: None where the split is not one of several folds.
    """

    names: Sequence[str]
    group: NDArray[np.int64]
    validation: NDArray[np.bool_]
    val_split: float
    seed: int
    fold: Fold | None = None

    def content(self) -> dict[str, Any]:
        """What split.json holds: `{seed, val_split, pieces: {name: {side, group}}}`, of a fold also `fold`, `folds`."""
        pieces = {
            name: {"side": "val" if val else "train", "group": int(group)}
            for name, val, group in zip(self.names, self.validation, self.group, strict=True)
        }
        folds = asdict(self.fold) if self.fold else {}
        return {"seed": self.seed, "val_split": self.val_split, **folds, "pieces": pieces}

    def write(self, path: Path) -> None:
        """Write split.json, whole or not at all."""
        write_json(path, self.content())

    @cached_property
    def packed(self) -> Tensor:
        """`content`, compressed, as a tensor of bytes that a checkpoint can hold; `unpacked` gives it back."""
        text = json.dumps(self.content(), separators=(",", ":")).encode()
        return torch.frombuffer(bytearray(zlib.compress(text)), dtype=torch.uint8)


def limited(pieces: NDArray[np.bool_], limit: int | None, seed: int) -> NDArray[np.bool_]:
    """So many of some pieces, drawn by the seed; fewer are a part of more. pieces: (pieces,) which, of the corpus."""
    if limit is None:
        return pieces
    generator = np.random.default_rng([seed, 0x6C696D69])
    rank = generator.permutation(len(pieces))
    among = np.flatnonzero(pieces)
    kept = np.zeros_like(pieces)
    kept[among[np.argsort(rank[among])[:limit]]] = True
    return kept


def unpacked(packed: Tensor) -> dict[str, Any]:
    """The content of split.json that `Split.packed` made a tensor of."""
    content: dict[str, Any] = json.loads(zlib.decompress(packed.numpy().tobytes()))
    return content


def twin_groups(ngrams: Ragged | Sequence[NDArray[np.uint64]], twin_share: float) -> NDArray[np.int64]:
    """Group pieces by near-duplicates in any key.

    ngrams: each piece's fingerprint, sorted and without repeats.
    twin_share: two pieces are twins where they have at least this share of the smaller one's n-grams in
    common, so that a melody alone is a twin of the melody with chords; twins of twins are one group.
    Returns (pieces,) int64, groups numbered in the order of their first piece. A piece without n-grams is alone.
    """
    everything = [np.asarray(ngrams[row]) for row in range(len(ngrams))]
    # pieces of the same fingerprint are one tune; in a folder of copies their pairs would be too many to look at
    same, first_of = _same_content(everything)
    rows = [everything[row] for row in first_of]
    counts = np.array([len(row) for row in rows], np.int64)
    if not counts.sum():
        return np.arange(len(everything))
    _, column, shared_by = np.unique(np.concatenate(rows), return_inverse=True, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    ones = np.ones(len(column), np.int32)
    grams = csr_matrix((ones, column, offsets), shape=(len(rows), len(shared_by)))
    first, second = _candidates(grams, shared_by, counts, twin_share)
    twins = np.zeros(len(first), bool)
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        common = np.asarray(grams[first[part]].multiply(grams[second[part]]).sum(axis=1)).ravel()
        twins[part] = common >= twin_share * np.minimum(counts[first[part]], counts[second[part]]) - 1e-9
    links = coo_matrix((np.ones(twins.sum()), (first[twins], second[twins])), shape=(len(rows), len(rows)))
    return _in_order_of_first(connected_components(links, directed=False)[1][same])


def _same_content(rows: Sequence[NDArray[np.uint64]]) -> tuple[NDArray[np.int64], list[int]]:
    """For each row, the place of its content among the different ones; and the first row of each. Empty rows differ."""
    place: dict[bytes | int, int] = {}
    first: list[int] = []
    same = np.zeros(len(rows), np.int64)
    for number, row in enumerate(rows):
        same[number] = place.setdefault(digest(row.tobytes()) if len(row) else number, len(place))
        if same[number] == len(first):
            first.append(number)
    return same, first


def _candidates(
    grams: csr_matrix, shared_by: NDArray[np.int64], counts: NDArray[np.int64], twin_share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair that may reach the share, found through the rarest n-grams alone.

    Where the smaller piece of n n-grams has at least ceil(share * n) in common with the other, one of
    its n - ceil(share * n) + 1 rarest is among them (the prefix filter of Chaudhuri et al., ICDE 2006).
    """
    row = np.repeat(np.arange(len(counts)), counts)
    # of one rarity they stay in the order of their columns, which each row's are in
    rarity = np.argsort(row * (shared_by.max() + 1) + shared_by[grams.indices], kind="stable")
    rank = np.arange(len(rarity)) - np.repeat(grams.indptr[:-1], counts)
    prefix = counts - np.maximum(1, np.ceil(twin_share * counts - 1e-9)).astype(np.int64) + 1
    kept = rarity[rank < np.repeat(prefix, counts)]
    kept = kept[shared_by[grams.indices[kept]] > 1]
    rows = row[kept]
    rare = csr_matrix((np.ones(len(kept), np.int32), (rows, grams.indices[kept])), shape=grams.shape)
    common = grams[:, np.unique(rare.indices)]
    pairs = coo_matrix(rare[:, np.unique(rare.indices)] @ common.T)
    low, high = np.minimum(pairs.row, pairs.col), np.maximum(pairs.row, pairs.col)
    distinct = np.unique((low.astype(np.int64) * len(counts) + high)[low != high])
    return distinct // len(counts), distinct % len(counts)


def _in_order_of_first(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def tunes_by_name(names: Sequence[str], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """(groups,) the groups in the order of their first name, whatever the order of the pieces."""
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    tunes: NDArray[np.int64] = group[by_name[np.sort(np.unique(group[by_name], return_index=True)[1])]]
    return tunes


def draw_split(names: Sequence[str], group: NDArray[np.int64], val_split: float, seed: int) -> Split:
    """Draw whole groups for validation until they hold `val_split` of the pieces.

    The seed and the names alone decide, not the order of the pieces. Both sides hold at least one group.
    Raises SplitError where there are fewer than two groups.
    """
    if not 0 < val_split < 1:
        raise SplitError(f"data.val_split={val_split}: give a share between 0 and 1, such as 0.1")
    tunes = tunes_by_name(names, group)
    if len(tunes) < 2:
        raise SplitError(
            f"{_count(len(names), 'piece')} of {_count(len(tunes), 'tune')}: a split into training and "
            "validation needs at least two different tunes; add some"
        )
    sizes = np.bincount(group)
    wanted = max(1.0, val_split * len(names))
    taken: list[int] = []
    held = 0
    drawn = np.random.default_rng([seed, 0x73706C69]).permutation(tunes)
    for tune in drawn:
        # a group that would overshoot by more than half of itself stays in training
        if held + sizes[tune] / 2 <= wanted and len(taken) < len(tunes) - 1:
            taken.append(int(tune))
            held += int(sizes[tune])
        if held >= wanted:
            break
    if not taken:
        taken = [int(min(drawn, key=sizes.__getitem__))]
    return Split(names, group, np.isin(group, taken), val_split, seed)


def read_split(
    former: str | Path | dict[str, Any], names: Sequence[str], group: NDArray[np.int64]
) -> tuple[Split, list[str]]:
    """Take the sides from a former split.json, or from its content; returns the split, and remarks worth showing.

    A piece that the file does not name goes where its twins are, and into training where it has none.
    Raises SplitError where the file cannot be read or leaves a side empty.
    """
    path = "the checkpoint's" if isinstance(former, dict) else former
    try:
        content = former if isinstance(former, dict) else json.loads(Path(former).expanduser().read_text())
        sides = {name: ("train", "val").index(row["side"]) == 1 for name, row in content["pieces"].items()}
        val_split, seed = float(content["val_split"]), int(content["seed"])
    except FileNotFoundError as error:
        raise SplitError(f"data.split={path}: no such file; give a split.json that a run wrote") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SplitError(
            f"data.split={path}: not a readable split.json ({error}); give one that a run wrote"
        ) from error
    known = np.array([name in sides for name in names], bool)
    validation = np.array([sides.get(name, False) for name in names], bool)
    in_validation = np.bincount(group, known & validation) > 0
    in_training = np.bincount(group, known & ~validation) > 0
    validation = np.where(known, validation, in_validation[group] & ~in_training[group])
    remarks = []
    if not known.all():
        unnamed = _count(int((~known).sum()), "piece")
        remarks.append(f"data.split={path} does not name {unnamed}: each goes where its twins are, or into training")
    straddling = int((in_validation & in_training).sum())
    if straddling:
        remarks.append(
            f"data.split={path} puts {_count(straddling, 'tune')} on both sides: the validation loss will flatter; "
            "leave data.split out for a new split"
        )
    if validation.all() or not validation.any():
        raise SplitError(
            f"data.split={path}: one side is empty for these {len(names):,} pieces; use another split.json"
        )
    return Split(names, group, validation, val_split, seed), remarks


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
