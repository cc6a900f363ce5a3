"""Which version of a registered model is to be served. By its marks and number, never by what came last."""

from dataclasses import dataclass

from mooring.builder.registry import PRODUCTION, Entry

_FALSE = frozenset({"false", "0", "no", "off"})
_STAGE = "Production"


@dataclass(frozen=True)
class Wanted:
    """A version and what marks it; the mark matters when a failed version is marked anew."""

    version: int
    mark: str


def wanted_version(entry: Entry) -> Wanted | None:
    """The alias `production` wins; else the newest version tagged `production`; else the newest in that stage.

    A tag counts when it is there and is not false (false, 0, no, off, in any case); an empty value is not false.
    """
    return _by_alias(entry) or _by_tag(entry) or _by_stage(entry)


def _by_alias(entry: Entry) -> Wanted | None:
    version = entry.model.aliases.get(PRODUCTION)
    return None if version is None else Wanted(version, "alias")


def _by_tag(entry: Entry) -> Wanted | None:
    tagged = [
        each
        for each in entry.marked
        if each.ready and PRODUCTION in each.tags and each.tags[PRODUCTION].strip().lower() not in _FALSE
    ]
    newest = max(tagged, key=lambda each: each.version, default=None)
    return None if newest is None else Wanted(newest.version, f"tag {newest.tags[PRODUCTION]}")


def _by_stage(entry: Entry) -> Wanted | None:
    staged = [each.version for each in entry.model.newest if each.ready and each.stage == _STAGE]
    return Wanted(max(staged), "stage") if staged else None
