"""Numbers: readers of three languages that know their words for digits, and never see the pieces that numbers are made of."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import get_args

import numpy as np
import pytest
from builders.translations import alignments, said, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words
from pydantic import ValidationError

from tasks.numbers import Language, Numbers, numbers, pieces, words
from tasks.pieces import spans, text
from tasks.split import Split, split_of
from tasks.task import UNALIGNED


def counted(said: str, values: Iterable[int]) -> dict[str, int]:
    """Words and the numbers that they mean."""
    return dict(zip(said.split(), values, strict=True))


ENGLISH = counted(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety",
    [*range(1, 20), *range(20, 100, 10)],
)
GERMAN = counted(
    "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn "
    "neunzehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    [*range(1, 20), *range(20, 100, 10)],
) | {"eins": 1, "sech": 6}  # "sech" in "sechzehn"
FRENCH = counted(
    "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "vingt trente quarante cinquante soixante",
    [*range(1, 17), *range(20, 70, 10)],
)
JOINTS = {"und", "et", "and", ",", "-", " "}


def from_english(said: str) -> int:
    total = group = 0
    for word in re.findall(r"[a-z]+", said):
        if word == "thousand":
            total, group = total + 1000 * (group or 1), 0
        elif word == "hundred":
            group = 100 * (group or 1)
        elif word != "and":
            group += ENGLISH[word]
    return total + group


def from_german(said: str) -> int:
    for multiplier, word in ((1000, "tausend"), (100, "hundert")):
        before, middle, after = said.partition(word)
        if middle:
            return multiplier * (from_german(before) or 1) + from_german(after)
    if said in GERMAN or not said:
        return GERMAN.get(said, 0)
    units, _, tens = said.partition("und")
    return GERMAN[units] + GERMAN[tens]


def from_french(said: str) -> int:
    total = group = last = 0
    for word in re.findall(r"[a-z]+", said):
        if word == "mille":
            total, group = 1000 * (group or 1), 0
        elif word.startswith("cent"):
            group = 100 * (group or 1)
        elif word != "et":
            twenties = last == 4 and word.startswith("vingt")
            value = 80 - 4 if twenties else FRENCH[word.removesuffix("s") if word == "vingts" else word]
            group, last = group + value, value
            continue
        last = 0
    return total + group


READERS: dict[Language, Callable[[str], int]] = {"en": from_english, "de": from_german, "fr": from_french}
PAIRS: list[tuple[Language, Language]] = [(a, b) for a in READERS for b in READERS if a != b]
each_language = pytest.mark.parametrize("language", READERS)
each_pair = pytest.mark.parametrize(("source", "target"), PAIRS)


@each_language
@given(st.integers(1, 999_999))
@settings(max_examples=300, deadline=None)
def test_a_number_is_said_as_num2words_says_it_and_its_pieces_are_the_words(language: Language, number: int) -> None:
    assert words(number, language) == num2words(number, lang=language)
    assert text(pieces(number, language)) == words(number, language)
    assert READERS[language](words(number, language)) == number


@each_language
def test_the_pieces_of_all_small_numbers_are_the_words(language: Language) -> None:
    for number in range(1, 2200):
        made = pieces(number, language)
        assert text(made) == num2words(number, lang=language)
        assert all(piece.text for piece in made)


@each_pair
@pytest.mark.parametrize("digits", [3, 6])
def test_whoever_knows_both_languages_makes_no_mistake(source: Language, target: Language, digits: int) -> None:
    task = Numbers(source=source, target=target, digits=digits)
    batch = task.sample(np.random.default_rng(0), 300)
    answers = [num2words(READERS[source](told), lang=target) for told, _ in texts(task, batch)]
    assert float(task.score(said(task, batch, answers), batch)) == 1


def tells(source: int, target: int) -> bool:
    """Whether a number in the source determines one in the target: it is the same, or the target's is a part of it."""
    return target in {source, source % 10, source // 10 * 10} - {0} if source < 100 else target in {source, 1}


@each_pair
def test_what_is_aligned_means_the_same(source: Language, target: Language) -> None:
    task = Numbers(source=source, target=target, digits=6, shortest=3)
    for told, answer, aligned in alignments(task, 0, 300):
        for piece, determines in aligned:
            assert tells(READERS[source](determines), READERS[target](piece)), (told, answer, piece)


@each_pair
def test_only_what_joins_words_is_not_aligned(source: Language, target: Language) -> None:
    task = Numbers(source=source, target=target, digits=6, shortest=3)
    batch, aligned = task.aligned_sample(np.random.default_rng(0), 300)
    for (_, answer), row in zip(texts(task, batch), aligned[..., 0].tolist(), strict=True):
        rest = "".join(c if start == UNALIGNED else "|" for c, start in zip(answer, row, strict=False))
        joints = {joint for joint in re.findall(r"[a-z]+|\W", rest) if joint != "|"}
        assert joints <= JOINTS, answer


def test_equal_digits_are_aligned_with_their_own_word() -> None:
    """Units and tens by their places: 333 has the same word for the hundreds and the units."""
    for number in range(121, 1000):
        if number % 100 < 20 or number % 10 == 0:
            continue
        english, german = num2words(number), num2words(number, lang="de")
        found = spans(pieces(number, "en"), pieces(number, "de"))
        after = german.index("hundert") + len("hundert")
        tens = english.index(" and ") + len(" and ")
        units = english.rindex("-") + 1
        assert found[0] == (0, english.index(" "))
        assert found[after] == (units, len(english))
        assert found[-1] == (tens, units - 1)


def test_the_example_of_the_documentation_is_what_is_drawn_and_aligned() -> None:
    example = "five hundred and twenty-three", "fünfhundertdreiundzwanzig"
    assert " → ".join(example) in str(Numbers.__doc__)
    found = {(source, answer): pieces for source, answer, pieces in alignments(Numbers(), 0, 2000)}
    told = [("fünf", "five"), ("hundert", "hundred"), ("drei", "three"), ("zwanzig", "twenty")]
    assert found[example] == told


@pytest.mark.parametrize("digits", [3, 4, 5])
def test_a_number_has_as_many_digits_as_said_and_those_of_the_test_are_not_trained_on(digits: int) -> None:
    drawn = {}
    for split in get_args(Split):
        task = Numbers(digits=digits, split=split)
        read = texts(task, task.sample(np.random.default_rng(0), 2000))
        drawn[split] = {from_english(source) for source, _ in read}
        assert {split_of(str(number)) for number in drawn[split]} == {split}
    assert {len(str(number)) for number in set().union(*drawn.values())} == {digits}
    every = [number for split in get_args(Split) for number in numbers(digits, split)]
    assert sorted(every) == list(range(10 ** (digits - 1), 10**digits))


def test_from_the_shortest_to_the_longest_all_lengths_are_equally_probable() -> None:
    task = Numbers(digits=5, shortest=3)
    read = texts(task, task.sample(np.random.default_rng(0), 3000))
    counts = Counter(len(str(from_english(source))) for source, _ in read)
    assert counts.keys() == {3, 4, 5}
    assert all(count == pytest.approx(1000, abs=4 * (3000 * 2 / 9) ** 0.5) for count in counts.values())


@each_language
def test_every_word_of_the_test_occurs_in_training(language: Language) -> None:
    words_of = [
        {piece.text for n in numbers(3, split) for piece in pieces(int(n), language)} for split in ("training", "test")
    ]
    assert words_of[1] <= words_of[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"digits": 2},
        {"digits": 7},
        {"digits": 3, "shortest": 4},
        {"digits": 5, "shortest": 2},
        {"source": "de"},
        {"source": "es"},
        {"split": "all"},
        {"language": "fr"},
    ],
)
def test_impossible_parameters_are_errors(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Numbers(**wrong)  # type: ignore[arg-type]


@each_language
def test_no_character_is_missing_from_the_vocabulary(language: Language) -> None:
    other: Language = "fr" if language == "de" else "de"
    known = set(Numbers(source=language, target=other).source_characters.characters)
    rng = random.Random(0)
    assert all(set(words(rng.randrange(1, 10**6), language)) <= known for _ in range(3000))
