"""How the package declares its use of another library's private names.

`_wrapped/private_names.py` and `_transport/private_names.py` hold all of them. No other
module touches a private name of another library.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

KNOWN_TO_WORK = {
    "botocore": "1.44.8",
    "langchain-aws": "1.9.1",
    "langchain-core": "1.8.3",
    "urllib3": "2.8.0",
}
"""For each library, a version that has every name declared for it."""


class UnsupportedVersionError(RuntimeError):
    """An installed library lacks a private name that has no substitute."""


@dataclass(frozen=True)
class PrivateName:
    """A private name of another library.

    Attributes:
        library: The name of its distribution.
        owner: Dotted path of the module or class that has it.
        name: The attribute.
        needed_to: What the package does with it, as an infinitive.
        if_missing: What happens in a version that no longer has it.
    """

    library: str
    owner: str
    name: str
    needed_to: str
    if_missing: str

    def error(self) -> UnsupportedVersionError:
        """Return the error for a version that lacks the name."""
        try:
            installed = version(self.library)
        except PackageNotFoundError:
            installed = "(unknown version)"
        return UnsupportedVersionError(
            f"{self.library} {installed} has no {self.owner}.{self.name}, which is "
            f"needed to {self.needed_to}. {self.library} "
            f"{KNOWN_TO_WORK[self.library]} has it: install that version, or a newer "
            "langchain-bedrock-continue."
        )
