"""Draws emails and calls over time, beside the quota, for reply-courier and the peer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

INCHES = (4.4, 3.6)
"""Of one panel."""
POINTS = 200
COLOURS = ("#0b6e4f", "#c1440e")
"""Of reply-courier and the peer. They differ in print and for colour-blind readers."""


@dataclass(frozen=True)
class Panel:
    """A run of all systems.

    Args:
        title: What happens in the run.
        seconds: How much time to show.
        quota: How many emails the quota allows until a time.
        accepted: When Connect accepted each email, by system.
        called: When Connect received each call, by system.
    """

    title: str
    seconds: float
    quota: Callable[[float], float]
    accepted: Mapping[str, Sequence[float]]
    called: Mapping[str, Sequence[float]]


def plot(image: Path, headline: str, panels: Sequence[Panel]) -> None:
    """Draw the panels side by side into one PNG."""
    figure = Figure(figsize=(INCHES[0] * len(panels), INCHES[1]), layout="constrained")
    figure.suptitle(headline, fontsize="large", fontweight="bold", x=0.01, ha="left")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True):
        times = [panel.seconds * n / POINTS for n in range(POINTS + 1)]
        quota = [panel.quota(at) for at in times]
        axes.fill_between(times, quota, color="#e8e8e8")
        axes.text(
            0.98, 0.02, "grey: the quota", transform=axes.transAxes, ha="right", color="#666666", fontsize="small"
        )
        for n, ((system, accepted), colour) in enumerate(zip(panel.accepted.items(), COLOURS, strict=False)):
            emails = over_time(accepted, panel.seconds)
            calls = over_time(panel.called[system], panel.seconds)
            axes.step(*emails, where="post", color=colour, lw=2.2)
            axes.step(*calls, where="post", color=colour, lw=1.4, ls=(0, (4, 2)))
            each = calls[1][-1] / emails[1][-1] if emails[1][-1] else 0
            text = f"{system}: {emails[1][-1]} emails, {each:.2f} calls for each"
            axes.text(0.02, 0.97 - 0.07 * n, text, transform=axes.transAxes, va="top", color=colour, fontsize="small")
        axes.set_title(panel.title, fontsize="medium", loc="left")
        axes.set_xlabel("seconds since the surge began")
        axes.set_xlim(0, panel.seconds)
        axes.set_ylim(0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("emails (solid), calls (dashed)")
    figure.savefig(image, dpi=90)


def over_time(moments: Sequence[float], seconds: float) -> tuple[list[float], list[int]]:
    """Return the times at which a count changes, and the count after each of them."""
    shown = [0.0, *sorted(at for at in moments if at <= seconds)]
    return [*shown, seconds], [*range(len(shown)), len(shown) - 1]
