"""One picture: emails accepted over time against the quota, this project beside the peer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

INCHES = (4.4, 3.6)
"""Of one panel."""
POINTS = 200
COLOURS = ("#0b6e4f", "#c1440e")
"""This project's and the peer's; distinct in print and to colour-blind readers."""


@dataclass(frozen=True)
class Panel:
    """One run of all systems.

    Args:
        title: What happens in it.
        seconds: How much time to show.
        quota: How many emails the quota would have let through, by time.
        accepted: When each email was accepted, by system.
        costs: What it cost, in words, by system.
    """

    title: str
    seconds: float
    quota: Callable[[float], float]
    accepted: Mapping[str, Sequence[float]]
    costs: Mapping[str, str]


def plot(image: Path, headline: str, panels: Sequence[Panel]) -> None:
    """Draw the panels side by side into one PNG, each line named below it."""
    figure = Figure(figsize=(INCHES[0] * len(panels), INCHES[1]), layout="constrained")
    figure.suptitle(headline, fontsize="large", fontweight="bold", x=0.01, ha="left")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True):
        times = [panel.seconds * n / POINTS for n in range(POINTS + 1)]
        quota = [panel.quota(at) for at in times]
        axes.fill_between(times, quota, color="#e8e8e8")
        axes.text(panel.seconds * 0.03, quota[-1] * 0.97, "grey: what the quota allows", va="top", color="#666666")
        for n, ((system, accepted), colour) in enumerate(zip(panel.accepted.items(), COLOURS, strict=False)):
            shown = [0.0, *sorted(at for at in accepted if at <= panel.seconds)]
            axes.step([*shown, panel.seconds], [*range(len(shown)), len(shown) - 1], where="post", color=colour, lw=2)
            share = (len(shown) - 1) / quota[-1] if quota[-1] else 0
            text = f"{system}: {share:.0%} of the quota,\n{panel.costs[system]}"
            axes.text(0.98, 0.22 - 0.17 * n, text, transform=axes.transAxes, ha="right", color=colour, fontsize="small")
        axes.set_title(panel.title, fontsize="medium", loc="left")
        axes.set_xlabel("seconds since the surge began")
        axes.set_xlim(0, panel.seconds)
        axes.set_ylim(0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("emails accepted")
    figure.savefig(image, dpi=90)
