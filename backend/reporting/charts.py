"""Charts as inline SVG, drawn by pygal: no script, and colours from the page, so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

WIDTH, HEIGHT = 480, 260
CLOSE = 16  # labels: less than a step between ticks would be no whole number
SVG = "http://www.w3.org/2000/svg"
OVERLAYS = ("plot text-overlay", "plot tooltip-overlay")  # groups of the chart that only a script fills
ElementTree.register_namespace("", SVG)


@dataclass(frozen=True)
class Point:
    """One version on the learning curve: human labels it learned from, share right in [0, 1] with its interval."""

    human_labels: int
    share: float
    low: float
    high: float
    name: str


def learning_curve(points: Sequence[Point], nonce: str = "", stopped: int | None = None) -> str:
    """Share of checked tasks that each version had right, over the human labels that it learned from; "" if too few.

    `stopped` is the number of human labels from which more of them did not pay; it is marked. `nonce` lets the chart's
    own style through the page's Content-Security-Policy.
    """
    if len(points) < 2:
        return ""
    ordered = sorted(points, key=lambda point: point.human_labels)
    known = [point.human_labels for point in ordered]
    chart = _xy(known, x_title="human labels learned from", y_title="right, %", range=(0, 100))
    line = [{"value": (point.human_labels, 100 * point.share), "label": point.name} for point in ordered]
    chart.add("versions, as people saw them", line)
    _dashed(chart, "95 % interval, lower end", [(point.human_labels, 100 * point.low) for point in ordered])
    _dashed(chart, "95 % interval, upper end", [(point.human_labels, 100 * point.high) for point in ordered])
    _mark(chart, stopped, 100)
    return _svg(chart, nonce, "Share of checked tasks that each version had right, over human labels")


def stopping_curve(
    points: Sequence[tuple[int, float]], stable: float, nonce: str = "", stopped: int | None = None
) -> str:
    """Share of its answers that the student changed, over the human labels that it knew: pairs; "" if too few.

    Below `stable` more labels hardly pay; that line is drawn, and the number of labels `stopped` is marked.
    """
    if len(points) < 2:
        return ""
    ordered = sorted(points)
    top = 100 * max(5 * stable, *(share for _, share in ordered))
    known = [labels for labels, _ in ordered]
    chart = _xy(known, x_title="human labels learned from", y_title="answers changed, %", range=(0, top))
    chart.add("changed answers", [(labels, 100 * share) for labels, share in ordered])
    ends = (min(ordered[0][0], stopped or ordered[0][0]), ordered[-1][0])
    _dashed(chart, "hardly pays below", [(end, 100 * stable) for end in ends])
    _dashed(chart, "", [])
    _mark(chart, stopped, top)
    return _svg(chart, nonce, "Share of the answers that each version changed, over human labels")


def _dashed(chart: Any, name: str, line: Sequence[tuple[int, float]]) -> None:
    chart.add(name, list(line), show_dots=False, stroke_style={"dasharray": "4, 4"})


def _mark(chart: Any, labels: int | None, top: float) -> None:
    """An upright line at a number of labels."""
    if labels is not None:
        chart.add("labels stopped to pay", [(labels, 0), (labels, top)], show_dots=False, stroke_style={"width": 3})


def set_sizes(counts: Sequence[tuple[int, int]], nonce: str = "") -> str:
    """How many tasks have candidate sets of which size: bars for pairs (size, tasks); "" without any."""
    if not counts:
        return ""
    from pygal import Bar

    chart = Bar(**_look(), x_title="labels in the set", y_title="tasks")
    chart.x_labels = [str(size) for size, _ in counts]
    chart.add("tasks", [tasks for _, tasks in counts])
    return _svg(chart, nonce, "Number of tasks by the size of their candidate set")


def _xy(labels: Sequence[int], **options: Any) -> Any:
    """A line chart over numbers of labels. Where they are close together only these stand at the axis: no halves."""
    from pygal import XY

    chart = XY(**_look(), **options, x_value_formatter=lambda value: f"{value:g}")
    if max(labels) - min(labels) < CLOSE:
        chart.x_labels = sorted({min(labels), max(labels)})
    return chart


def _look() -> dict[str, Any]:
    """Options of every chart. The colours are variables of the page's style sheet."""
    from pygal.style import Style

    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--ink)",
        foreground_strong="var(--ink)",
        foreground_subtle="var(--line)",
        colors=("var(--accent)", "var(--faint)", "var(--faint)", "var(--good)"),
        font_family="inherit",
        label_font_size=13,
        major_label_font_size=13,
        title_font_size=13,
        legend_font_size=13,
    )
    size = {"width": WIDTH, "height": HEIGHT}
    return {"style": style, "js": [], "disable_xml_declaration": True, "show_legend": False, "max_scale": 8, **size}


def _svg(chart: Any, nonce: str, title: str) -> str:
    """The chart as an element of a page: without what needs a script, with a name for screen readers."""
    root = ElementTree.fromstring(chart.render())  # comments stay behind
    for parent in list(root.iter()):
        for child in [child for child in parent if _needs_a_script(child)]:
            parent.remove(child)
    root.set("role", "img")
    root.set("aria-label", title)
    if nonce:
        for style in root.iter(f"{{{SVG}}}style"):
            style.set("nonce", nonce)
    return ElementTree.tostring(root, encoding="unicode")


def _needs_a_script(element: ElementTree.Element) -> bool:
    """Scripts, what they read (positions and values, as hidden descriptions), and what they fill."""
    name, kind = element.tag.removeprefix(f"{{{SVG}}}"), element.get("class", "")
    return name == "script" or (name == "desc" and kind[:1] in ("x", "y")) or kind in OVERLAYS
