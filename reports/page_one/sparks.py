"""The small pictures of page one as SVG without text: an interval beside its limit, and the skills of some seeds.

Colours are attributes, which a PDF shows as they are; the classes let a page's style sheet set others, as in the dark.
"""

from collections.abc import Sequence

from reports.page_one.blocks import Measurement

WIDTH, HEIGHT, MARGIN = 214.0, 26.0, 6.0
DOTS_WIDTH, DOTS_HEIGHT = 56.0, 10.0
BLUE, GREEN = "#0b57a4", "#cfe6dc"


def interval_svg(measurement: Measurement) -> str:
    """The estimate as a dot, its interval as a bar, the limit as a line, the side of the claim in green.

    The dot is hollow, and narrower than most bars: it hides no interval.
    """
    e, limit = measurement.estimate, measurement.limit
    ends = [end for end in (e.value, e.low, e.high, limit) if end == end]
    low, high = min(ends), max(ends)
    space = 0.12 * ((high - low) or 1.0)

    def place(value: float) -> float:
        return MARGIN + (value - low + space) / (high - low + 2 * space) * (WIDTH - 2 * MARGIN)

    side = (place(limit), WIDTH - MARGIN) if measurement.side == "above" else (MARGIN, place(limit))
    middle = HEIGHT / 2
    bar = _line(place(e.low), middle, place(e.high), middle, BLUE, 4, "bar") if e.low == e.low else ""
    return _svg(
        WIDTH,
        HEIGHT,
        f'<rect class="side" x="{side[0]:.1f}" y="5" width="{side[1] - side[0]:.1f}" height="{HEIGHT - 10}" fill="{GREEN}"/>',
        _line(MARGIN, middle, WIDTH - MARGIN, middle, "#bbbbbb", 1, "axis"),
        _line(place(limit), 1, place(limit), HEIGHT - 1, "#222222", 1.5, "limit"),
        bar,
        f'<circle class="dot" cx="{place(e.value):.1f}" cy="{middle}" r="3.6" fill="#ffffff" stroke="{BLUE}" '
        'stroke-width="2"/>',
    )


def dots_svg(skills: Sequence[float], colour: str) -> str:
    """Each seed's skill as a dot, from 0 to 1; what is below 0 is shown at 0."""
    middle, width = DOTS_HEIGHT / 2, DOTS_WIDTH - 6
    dots = (
        f'<circle cx="{3 + min(1.0, max(0.0, skill)) * width:.1f}" cy="{middle}" r="2.1" fill="{colour}" fill-opacity="0.6"/>'
        for skill in skills
    )
    axis = f'<line x1="3" y1="{middle}" x2="{DOTS_WIDTH - 3}" y2="{middle}" stroke="{colour}" stroke-opacity="0.4"/>'
    return _svg(DOTS_WIDTH, DOTS_HEIGHT, axis, *dots)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, name: str) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line class="{name}" {ends} stroke="{colour}" stroke-width="{width}"/>'


def _svg(width: float, height: float, *shapes: str) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(shapes)}</svg>'
