"""How a single character is drawn in a figure: any script, and nothing as an empty box."""

from functools import cache
from typing import NamedTuple

from matplotlib.font_manager import findfont, get_font

USUAL = "DejaVu Sans"
"""The font of the figures. It comes with matplotlib; it has the scripts of Europe and the Near East."""

OTHERS = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Droid Sans Fallback",
    "Hiragino Sans",
    "Yu Gothic",
    "MS Gothic",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
"""Fonts with the scripts of East Asia, of which a machine may have one."""

VISIBLE = {" ": "\N{OPEN BOX}"}
"""What stands for a character that would not be seen."""


class Glyph(NamedTuple):
    """What is drawn for a character, and in which font."""

    text: str
    font: str


@cache
def glyph(character: str) -> Glyph:
    """The character in the first font of this machine that has it; where none has, its code point in hexadecimal digits.

    >>> glyph("ж"), glyph(" "), glyph("\\n")
    (Glyph(text='ж', font='DejaVu Sans'), Glyph(text='␣', font='DejaVu Sans'), Glyph(text='0A', font='DejaVu Sans'))
    """
    text = VISIBLE.get(character, character)
    has_it = (font for font in (USUAL, *OTHERS) if text.isprintable() and _has(font, text))
    font = next(has_it, None)
    return Glyph(text, font) if font else Glyph(_code_point(character), USUAL)


def _has(font: str, character: str) -> bool:
    try:
        path = findfont(font, fallback_to_default=False)
    except ValueError:  # not on this machine
        return False
    return bool(get_font(path).get_char_index(ord(character)))


def _code_point(character: str) -> str:
    """Two digits a line, so that it is hardly wider than a character.

    >>> _code_point("日")
    '65\\nE5'
    """
    digits = f"{ord(character):X}"
    even = digits.zfill(len(digits) + len(digits) % 2)
    return "\n".join(even[place : place + 2] for place in range(0, len(even), 2))
