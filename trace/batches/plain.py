"""Plain words in a recall: nothing that plays the danger down.

Recall notices that call themselves precautionary or voluntary are read as «not meant for me» and left unheeded.
"""

from __future__ import annotations

import re
import unicodedata

from ..errors import say
from ..intake import Intake

_SOFTENING = re.compile(
    r"as an? precaution(?:ary measure)?|by way of precaution|precautionary|out of an abundance of caution"
    r"|(?:for|to be on) the safe side|voluntar(?:y|ily)|merely|minor issue|no cause for (?:concern|alarm)"
    r"|出于谨慎|出于审慎|谨慎起见|为谨慎|预防性|以防万一|自愿|主动召回|轻微|无需担心|不必担心|不必恐慌"
)


def softening(text: str) -> str | None:
    """The first words of `text` that play a danger down, as they are written there; None when there are none."""
    found = _SOFTENING.search(" ".join(unicodedata.normalize("NFKC", text).casefold().split()))
    return found.group() if found else None


def refuse_softening(intake: Intake, field: str, text: str) -> None:
    """Note a problem under `field` when `text` plays the danger down."""
    if words := softening(text):
        intake.refuse(
            field,
            "recall.softening",
            say(
                "«%(words)s» plays the danger down, and people do not act on it. "
                "Leave it out; say what is wrong and what to do.",
                words=words,
            ),
        )
