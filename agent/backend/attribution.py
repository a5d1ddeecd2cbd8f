"""Which persona a request speaks for. A request without these headers makes exports fail with 402."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

__all__ = ["Attribution"]

_PLAIN = " !#$&'()*+,/:;<=>?@[]^`{|}"
"""What travels as it is, beside what `quote` never touches; "%" and quotation marks do not."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The persona's frontmatter `name` and `version`, and the platform that it was installed by."""

    source: str
    version: str
    platform: str

    def headers(self) -> dict[str, str]:
        """The three headers; a value from somebody's SKILL.md can't break out of its header."""
        return {
            "X-Skill-Source": _value(self.source),
            "X-Skill-Version": _value(self.version),
            "X-Skill-Platform": _value(self.platform),
        }


@lru_cache(256)
def _value(text: str) -> str:
    """Printable ASCII, the rest percent-encoded; never empty, for an empty header counts as missing."""
    return quote(text.strip(), safe=_PLAIN, errors="replace") or "unknown"
