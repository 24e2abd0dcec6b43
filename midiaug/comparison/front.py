"""The loss in the music's own keys against that in all twelve, and which groups no other is better than in both."""

from collections.abc import Sequence

from midiaug.comparison.groups import Figure, Group
from midiaug.comparison.markup import card, chart_row, quiet
from midiaug.comparison.svg import chart, drawn, label, styled
from midiaug.plots import GAP, VAL

_NAMED = 14  # of more groups in a chart, those on the front alone are named


def part(groups: Sequence[Group]) -> list[str]:
    """The part of the page: a chart for each model with several levels; nothing where there is none."""
    models: dict[str, list[Group]] = {}
    for group in known(groups):
        models.setdefault(group.members[0].of_model, []).append(group)
    several = {model: mine for model, mine in models.items() if len(mine) > 1}
    if not several:
        return []
    said = (
        "A dot is a level, its bars the standard deviation over the seeds. Filled: no other level is better in both. "
        "The mean over twelve keys is that of pieces with room for all twelve."
    )
    cards = (card(model, trade_off(mine)) for model, mine in several.items())
    return ["<h2>Own keys against all keys</h2>", chart_row(cards), quiet(said)]


def known(groups: Sequence[Group]) -> list[Group]:
    """The groups of which both losses are known."""
    return [group for group in groups if None not in _place(group)]


def front(groups: Sequence[Group]) -> list[Group]:
    """Those that no other is as good as in both losses and better than in one, by the loss in own keys.

    groups: of which both losses are known.
    """
    best: list[Group] = []
    for group in sorted(groups, key=_place):
        if not best or _place(group)[1] < _place(best[-1])[1]:
            best.append(group)
    return best


def trade_off(groups: Sequence[Group]) -> str:
    """A dot for each group with its spread over the seeds; those on the front are filled, with a line through them."""
    groups = known(groups)
    best = front(groups)
    with styled():
        figure, axes = chart(4.2, 3.4)
        axes.grid(axis="x", alpha=0.25)
        axes.plot(*zip(*(_place(group) for group in best), strict=True), "-", color=VAL, linewidth=1.0, alpha=0.6)
        for number, group in enumerate(sorted(groups, key=_place)):
            figures, on_front = group.figures(), group in best
            x, y = _place(group)
            color = VAL if on_front else GAP
            axes.errorbar(
                [x],
                [y],
                xerr=_spread(figures["val"]),
                yerr=_spread(figures["over_keys"]),
                fmt="o",
                color=color,
                markerfacecolor=color if on_front else "white",
                markersize=6,
                elinewidth=0.8,
            )
            if on_front or len(groups) <= _NAMED:
                name = label(group.members[0].level or group.label, 18)
                above = number % 2 == 1  # clear of the bars either way, however many lines it takes
                offset, anchor = (5, 4 if above else -4), "bottom" if above else "top"
                axes.annotate(name, (x, y), offset, textcoords="offset points", fontsize=7, color=color, va=anchor)
        axes.margins(0.14)
        axes.set_xlabel("val in own keys, nats a token")
        axes.set_ylabel("mean val over twelve keys")
        return drawn(figure, "validation loss in own keys against the mean over all twelve, a dot a group")


def _place(group: Group) -> tuple[float, float]:
    figures = group.figures()
    return figures["val"]["mean"], figures["over_keys"]["mean"]  # type: ignore[return-value]  # known ones


def _spread(figure: Figure) -> list[float] | None:
    return None if figure["sd"] is None else [float(figure["sd"])]
