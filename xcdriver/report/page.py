# SPDX-License-Identifier: BSD-2-Clause
"""The page: page.html with its style, its program and the data in it."""
import base64
import hashlib
import html as html_text
import json
import pathlib
import re

PARTS = pathlib.Path(__file__).parent
PROGRAM = ("text.js", "chart.js", "frames.js", "timeline.js", "page.js")  # in this order


def digest(text):
    """As a Content-Security-Policy names what it allows."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def printable(text):
    """A file name as a text, whatever its bytes are."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def html(found):
    """The page about what was found. No text of it can end the element that it is in: in JSON, < is written so that
    it is none to HTML. The browser runs our program and nothing else, and loads nothing."""
    found["film"]["name"] = printable(found["film"]["name"])
    found["notes"] = list(map(printable, found["notes"]))
    style, program = (PARTS / "page.css").read_text(), "".join((PARTS / name).read_text() for name in PROGRAM)
    policy = f"default-src 'none'; style-src {digest(style)}; script-src {digest(program)}"
    values = {"policy": html_text.escape(policy), "style": style, "program": program,
              "title": html_text.escape(found["film"]["name"]),
              "data": json.dumps(found, separators=(",", ":")).replace("<", "\\u003c")}
    return re.sub(r"@(\w+)@", lambda place: values[place[1]], (PARTS / "page.html").read_text())
