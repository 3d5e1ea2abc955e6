"""A verdict in one or two words and what it means, for every table, picture and page that shows one."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

Meaning = Literal["good", "bad", "open", "plain", "grey"]
"""Colour of a verdict, by this name in ``drawing.style`` and in the report's style sheet."""


class VerdictWord(StrEnum):
    """The words of one kind of verdict: members are (word, meaning, sign), in the order of the report."""

    meaning: Meaning
    sign: str

    def __new__(cls, word: str, meaning: Meaning = "plain", sign: str = "") -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning, member.sign = meaning, sign
        return member
