# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium that tests can steer: as much of the WebDriver protocol (W3C) as they need."""
import base64
import json
import os
import re
import subprocess
import tempfile
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that the standard gives to references


class WebDriver:
    """with WebDriver(width, height, flags) as driver: ..."""

    def __init__(self, width=1200, height=900, flags=()):
        self.flags = [*FLAGS, f"--window-size={width},{height}", *flags]

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="excamera-test-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True, env={**os.environ, "HOME": self.profile.name})
        port = None
        while not port:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("chromedriver does not start")
            port = re.search(r"started successfully on port (\d+)", line)
        self.address = f"http://127.0.0.1:{port[1]}/session"
        options = {"args": [*self.flags, f"--user-data-dir={self.profile.name}/profile"]}
        self.session = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})["sessionId"]
        self.address += f"/{self.session}"
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
            self.profile.cleanup()

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.address + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())["value"]

    def open(self, path):
        self.call("POST", "/url", {"url": path.as_uri()})

    def run(self, script, *arguments):
        """What a script returns that runs in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def complaints(self):
        """What the console has, since it was asked last."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def element(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})

    def point(self, element, x, y, drag_to=None):
        """Moves the mouse to a place, counted from the middle of an element; drags it from there to another x."""
        move = {"type": "pointerMove", "origin": element, "x": int(x), "y": int(y), "duration": 0}
        actions = [move]
        if drag_to is not None:
            actions += [{"type": "pointerDown", "button": 0}, {**move, "x": int(drag_to), "duration": 50},
                        {"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def press(self, element, text):
        self.call("POST", f"/element/{element[ELEMENT]}/value", {"text": text})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))
