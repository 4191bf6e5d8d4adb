"""A plot of emails accepted over time, against the quota."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from matplotlib.figure import Figure

COLUMNS = 3
INCHES = (4.6, 3.2)
"""Of one panel."""
POINTS = 200


@dataclass(frozen=True)
class Panel:
    """One run of all systems.

    Args:
        title: The setting.
        seconds: How much time to show.
        quota: How many emails the quota would have let through, by time.
        accepted: When each email was accepted, by system.
    """

    title: str
    seconds: float
    quota: Callable[[float], float]
    accepted: Mapping[str, Sequence[float]]


def plot(image: Path, panels: Sequence[Panel]) -> None:
    """Draw all panels into one PNG."""
    rows = ceil(len(panels) / COLUMNS)
    figure = Figure(figsize=(INCHES[0] * COLUMNS, INCHES[1] * rows), layout="constrained")
    for axes, panel in zip(figure.subplots(rows, COLUMNS, squeeze=False).flat, panels, strict=False):
        times = [panel.seconds * n / POINTS for n in range(POINTS + 1)]
        axes.plot(times, [panel.quota(at) for at in times], color="black", linestyle=":", label="quota")
        for system, accepted in panel.accepted.items():
            shown = [0.0, *sorted(at for at in accepted if at <= panel.seconds)]
            axes.step([*shown, panel.seconds], [*range(len(shown)), len(shown) - 1], where="post", label=system)
        axes.set_title(panel.title, fontsize="medium")
        axes.set_xlabel("seconds")
        axes.set_ylabel("emails accepted")
        axes.legend(fontsize="small")
    for axes in figure.axes[len(panels) :]:
        axes.remove()
    figure.savefig(image, dpi=80)
