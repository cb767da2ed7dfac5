"""The colours of a cell of “who solves what”, from grey for nobody to green for all seeds."""

NOBODY, ALL = (0xF1, 0xF1, 0xEE), (0x00, 0x69, 0x4E)
BLACK, WHITE = "#000000", "#ffffff"


def cell_colours(share: float) -> tuple[str, str]:
    """Background and text of a cell, given the share of seeds that solve the task.

    >>> cell_colours(0.0), cell_colours(1.0)
    (('#f1f1ee', '#000000'), ('#00694e', '#ffffff'))
    """
    strength = 0.15 + 0.85 * share if share else 0.0
    mixed = [round(a + strength * (b - a)) for a, b in zip(NOBODY, ALL, strict=True)]
    # Black and white contrast with it equally at this luminance (WCAG 2.1), by 4.58 to 1.
    return "#" + "".join(f"{part:02x}" for part in mixed), WHITE if _luminance(mixed) < 0.179 else BLACK


def _luminance(parts: list[int]) -> float:
    """The relative luminance of a colour in sRGB (WCAG 2.1)."""
    shares = [part / 255 for part in parts]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
