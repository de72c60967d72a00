# SPDX-License-Identifier: BSD-2-Clause
"""What a function is asked: the fields of an event, and the names of a film's files in the bucket."""
import re
import typing

from .graph import DIGITS, LAST_CHUNK, STRUCTURES

# A name has a number of up to eight digits, after directories if you like: film/00000003-0.ivf. No part of it begins
# with a dot, so nothing leads out of a directory.
DIRECTORIES = r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*"
NAME = re.compile(rf"({DIRECTORIES})([0-9]{{1,8}})((?:-0|-1|-anchors)?\.(?:y4m|ivf|state))")
LONGEST_NAME = 1024  # that S3 takes
MOST_CHUNKS = 100000  # that an event for relay may be about: seven hours of film in chunks of six frames
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BadEvent(Exception):
    """The event is not one that the function understands."""


class Chunk(typing.NamedTuple):
    """A chunk of a film: the directory of its files, with a slash, or nothing; its number, as it is written."""
    directory: str
    number: str

    def file(self, ending):
        """The name of one of its files."""
        return f"{self.directory}{self.number}{ending}"

    def beside(self, distance):
        """The chunk at a distance from it, its number written in the same way."""
        number = int(self.number) + distance
        if not 0 <= number <= LAST_CHUNK:
            raise BadEvent(f"{self.file('.y4m')}: there is no chunk {'before' if distance < 0 else 'after'} it")
        padded = self.number[0] == "0" or len(self.number) == DIGITS
        return Chunk(self.directory, str(number).zfill(len(self.number) if padded else 1))

    def before(self):
        return self.beside(-1)

    def after(self):
        return self.beside(1)


def shown(value):
    """A value from outside, short enough for a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def chunk_of(name, *endings):
    """The chunk that a file belongs to, whose name must have one of these endings."""
    match = NAME.fullmatch(name) if isinstance(name, str) and len(name) <= LONGEST_NAME else None
    if not match or match[3] not in endings:
        raise BadEvent(f"{shown(name)} is not the name of a file such as film/{'0' * DIGITS}{endings[0]}")
    return Chunk(match[1], match[2])


def is_number(value, highest):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= highest


def check(event, *names, optional=()):
    """Raises BadEvent unless the event has a bucket and what is named, and no more than what is optional besides."""
    if not isinstance(event, dict):
        raise BadEvent(f"{shown(event)} is not an object with fields")
    for name in ("bucket", *names):
        if name not in event:
            raise BadEvent(f"'{name}' is missing in the event")
    for name in event:
        if name not in ("bucket", *names, *optional):
            raise BadEvent(f"{shown(name)} in the event is not known")
    if not isinstance(event["bucket"], str) or not BUCKET.fullmatch(event["bucket"]):
        raise BadEvent(f"{shown(event['bucket'])} is not the name of a bucket")
    for name, highest in (("quality", 63), ("index", 10 ** DIGITS), ("count", 10 ** DIGITS)):
        if name in event and not is_number(event[name], highest):
            raise BadEvent(f"'{name}' is {shown(event[name])}, not a number from 0 to {highest}")


def check_relay(event):
    """Raises BadEvent unless the other fields of an event for relay are right, which `check` has seen to be there."""
    if not isinstance(event["prefix"], str) or not re.fullmatch(DIRECTORIES, event["prefix"]):
        raise BadEvent(f"{shown(event['prefix'])} is not a directory such as film/holiday/")
    if not isinstance(event["structure"], str) or event["structure"] not in STRUCTURES:
        raise BadEvent(f"{shown(event['structure'])} is not a structure")
    if not isinstance(event.get("function", ""), str):
        raise BadEvent(f"{shown(event['function'])} is not the name of a function")
    for name in ("first", "last", "chunk", "batch"):
        if name in event and not is_number(event[name], 10 ** DIGITS - 1):
            raise BadEvent(f"'{name}' is {shown(event[name])}, not the number of a chunk")
    if not event["first"] <= event.get("chunk", event["first"]) <= event["last"] or event.get("batch", 1) < 1:
        raise BadEvent(f"{shown(event)} has numbers that do not fit together")
    starts = event.get("starts", [])
    if not isinstance(starts, list) or not all(
            is_number(chunk, event["last"]) and chunk >= event["first"] for chunk in starts):
        raise BadEvent(f"'starts' is {shown(starts)}, not a list of chunks from first to last")
    if event["last"] - event["first"] >= MOST_CHUNKS:
        raise BadEvent(f"more than {MOST_CHUNKS} chunks are too many for one event")


def check_array(event):
    """Raises BadEvent unless the event is an array."""
    if not isinstance(event, list):
        raise BadEvent(f"{shown(event)} is not an array")


def bucket_of(items):
    """The one bucket that all items name."""
    buckets = {item["bucket"] for item in items}
    if len(buckets) != 1:
        raise BadEvent(f"the items name {len(buckets)} buckets: {shown(sorted(buckets))}")
    return buckets.pop()
