"""Pictures of how cost grows: SVG, the same octets for the same figures."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402
from matplotlib.ticker import EngFormatter, LogLocator, StrMethodFormatter  # noqa: E402

matplotlib.rcParams.update({"svg.hashsalt": "sesame", "svg.fonttype": "none", "font.size": 8, "axes.grid": True,
                            "grid.alpha": 0.3, "lines.markersize": 3})
# File -> (title, axis, its scale, the series: (variable, peer, label, style)).
PICTURES = {
    "size": ("Size of the message", "octets", "log",
             (("size", "sesame", "Sesame", "C0-o"), ("size", "floor", "no-op", "C7--s"))),
    "connections": ("SMTP sessions at once", "sessions", "log",
                    (("connections", "sesame", "Sesame", "C0-o"), ("connections", "floor", "no-op", "C7--s"))),
    "domains": ("Sender domains", "domains", "log",
                (("domains, cold", "sesame", "cold", "C3-o"), ("domains, warm", "sesame", "warm", "C0-o"))),
    "signatures": ("DKIM signatures of a message", "signatures", "linear",
                   (("signatures", "sesame", "Sesame", "C0-o"), ("signatures", "floor", "no-op", "C7--s"))),
    "dead": ("Sender domains that never answer", "per cent", "linear", (("dead", "sesame", "Sesame", "C0-o"),)),
}
PANELS = (("per_second", "messages/s", "log"), ("cpu_ms", "CPU seconds per 1,000 messages", "log"),
          ("p50_ms", "whole transaction, ms: p50, and p99 faint", "log"), ("memory", "memory, MiB", "linear"))


def draw_panel(axes, points, series, field):
    for variable, peer, label, style in series:
        rows = sorted((row for row in points if row["variable"] == variable and row["peer"] == peer),
                      key=lambda row: row["value"])
        values = [row["value"] for row in rows]
        axes.plot(values, [row[field] for row in rows], style, label=label)
        if field == "p50_ms":
            axes.plot(values, [row["p99_ms"] for row in rows], style, alpha=0.35)


def rule(axes, x_scale, y_scale):
    """Scales with few marks, in plain numbers. Where values differ little, zero stands beside them."""
    if axes.dataLim.y1 < 4 * axes.dataLim.y0:
        y_scale = "linear"
    for axis, scale, steps, form in ((axes.xaxis, x_scale, (1,), EngFormatter(sep="")),
                                     (axes.yaxis, y_scale, (1, 2, 5), StrMethodFormatter("{x:,g}"))):
        if scale == "log":
            getattr(axes, f"set_{axis.axis_name}scale")(scale)
            axis.set_major_locator(LogLocator(subs=steps))
            axis.set_major_formatter(form)
        elif axis is axes.yaxis:
            axes.set_ylim(bottom=0)
    axes.minorticks_off()


def draw(records, folder):
    """One file for each variable; its name -> its title."""
    points = [row for row in records if row["scenario"] == "growth"]
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, unit, scale, series) in PICTURES.items():
        figure, grid = pyplot.subplots(2, 2, figsize=(7.2, 4.8), constrained_layout=True)
        figure.suptitle(title)
        for axes, (field, caption, value_scale) in zip(grid.flat, PANELS):
            draw_panel(axes, points, series, field)
            rule(axes, scale, value_scale)
            axes.set(title=caption, xlabel=unit)
        if len(series) > 1:
            grid[0][0].legend()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return {name: picture[0] for name, picture in PICTURES.items()}
