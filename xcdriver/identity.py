# SPDX-License-Identifier: BSD-2-Clause
"""What distinguishes a film from another one that later has the same name. After an interruption, only the same film
may be continued."""
import hashlib
import os
import pathlib
import re
import urllib.parse
import urllib.request

SAMPLES = 17  # evenly from the beginning to the end
SAMPLE_BYTES = 1 << 18
MOST_PLAYLIST = 1 << 24  # bytes
PLAYLISTS = (".m3u8", ".m3u", ".mpd", ".ffconcat", ".concat", ".txt")


def contents(path):
    """Size and hash of the beginning, the middle and the end of a file, and of some places between. Where the file is
    and when it was touched do not matter."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for number in range(SAMPLES):
            stream.seek(max(0, size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            digest.update(stream.read(SAMPLE_BYTES))
    return {"size": size, "hash": digest.hexdigest()}


def listing(paths):
    """The number of files, and a hash of their names, sizes and times."""
    digest = hashlib.sha256()
    for path in paths:
        status = path.stat()
        digest.update(repr((path.name, status.st_size, status.st_mtime_ns)).encode())
    return {"files": len(paths), "hash": digest.hexdigest()}


def sequence(name):
    """The files of an image sequence such as "im%04d.png", in order; none if the name is not that of a sequence."""
    directory, pattern = os.path.split(name)
    parts = re.split(r"%(0?\d*)d", pattern)
    if len(parts) != 3:
        return []
    expression = re.compile(re.escape(parts[0]) + r"\d+" + re.escape(parts[2]))
    try:
        names = sorted(filter(expression.fullmatch, os.listdir(directory or ".")))
    except OSError:
        return []
    return [pathlib.Path(directory, name) for name in names]


def is_sequence(name):
    return not os.path.exists(name) and bool(sequence(name))


def names_in(text):
    """What may be names of files in the text of a playlist (HLS, DASH, ffconcat)."""
    for line in map(str.strip, text.splitlines()):
        if not line.startswith("#"):
            yield line
            yield line.partition("file ")[2].strip(" '\"")
        yield from re.findall(r'URI="([^"]+)"', line)
        yield from re.findall(r">([^<>]+)<", line)


def parts(path, depth=3):
    """The files that a playlist names, and those of playlists among them. The pieces of a DASH film have no names in
    the playlist; they begin with the same letters as its templates."""
    text = path.read_text(errors="replace") if path.stat().st_size <= MOST_PLAYLIST else ""
    found = {path.parent / name for name in names_in(text) if name and len(name) < 1000 and "\0" not in name}
    beginnings = tuple(start for start in re.findall(r'(?:media|initialization)="([^"$/]+)\$', text) if start)
    if beginnings:
        found |= {path.parent / name for name in os.listdir(path.parent) if name.startswith(beginnings)}
    found = {part for part in found if part.is_file() and part != path}
    for part in sorted(found):
        if depth and part.suffix.lower() in PLAYLISTS:
            found |= set(parts(part, depth - 1))
    return sorted(found)


def address(url, described):
    """What a server, or else ffprobe, says about what is at an address."""
    said = {"url": url, **described}
    if not url.lower().startswith(("http:", "https:")):
        return said
    is_playlist = urllib.parse.urlsplit(url).path.lower().endswith(PLAYLISTS)
    request = urllib.request.Request(url, method="GET" if is_playlist else "HEAD")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            said.update({name: answer.headers.get(name) for name in ("ETag", "Last-Modified", "Content-Length")})
            if is_playlist:
                said["hash"] = hashlib.sha256(answer.read(MOST_PLAYLIST)).hexdigest()
    except (OSError, ValueError):
        pass  # ffmpeg may know better how to speak with this server
    return said


def files(name):
    """The files that the name of a film stands for. Of several, the first is a playlist that names the others, unless
    the name does."""
    if name.startswith("concat:"):
        return [pathlib.Path(part) for part in name[len("concat:"):].split("|")]
    path = pathlib.Path(name)
    if path.is_file():
        return [path, *(parts(path) if path.suffix.lower() in PLAYLISTS else [])]
    return sequence(name) if is_sequence(name) else []


def identify(name, described):
    """The identity of a film, as a dictionary for JSON. described: what ffprobe says about its size and duration."""
    found = files(name)
    if not found:
        return address(name, described)
    if os.path.isfile(name):
        return {**contents(found[0]), **({"parts": listing(found[1:])} if found[1:] else {})}
    return listing(found)
