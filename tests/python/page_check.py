#!/usr/bin/env python3
"""Opens a page in headless Chromium as a phone and as a desktop would, light and dark, and says what
is wrong with it: requests beyond the page itself, messages on the console, errors, content broader
than the screen, a text that is missing, a picture that is not shown or fewer than N, colours that do not follow the screen's scheme.

  page_check.py PAGE.html [--text TEXT]... [--pictures N] [--shots FOLDER]

Standard library only; the browser is driven over --remote-debugging-pipe. Exit status 0 where all is
well, 1 with a line a problem, 77 where no browser is installed.
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
SCREENS = [("phone", 390, 844), ("desktop", 1280, 900)]
SCHEMES = ["light", "dark"]
LONGEST_WAIT = 60  # seconds


class Browser:
    """One page over the debugging protocol: JSON messages that end in a zero byte."""

    def __init__(self, binary, profile):
        to_browser, self.out = os.pipe()
        self.inp, from_browser = os.pipe()

        def inherit():
            # The browser reads from 3 and writes to 4; copies first, since either may be in use.
            a, b = os.dup(to_browser), os.dup(from_browser)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [binary, "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", "about:blank"],
            close_fds=False, preexec_fn=inherit, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.number = 0
        self.events = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Network", "Log", "Runtime"]:
            self.call(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.inp, 1 << 16)
            if not part:
                raise RuntimeError("the browser ended")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def wait_for(self, method):
        while not any(event["method"] == method for event in self.events):
            event = self.receive()
            if "method" in event:
                self.events.append(event)

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression,
                         returnByValue=True, awaitPromise=True)["result"].get("value")

    def close(self):
        self.process.kill()
        self.process.wait()


def problems_of_events(events, url):
    for event in events:
        params = event["params"]
        if event["method"] == "Network.requestWillBeSent":
            asked = params["request"]["url"]
            if asked != url and not asked.startswith("data:"):
                yield f"asks for {asked[:200]}"
        elif event["method"] == "Log.entryAdded":
            yield f"log: {params['entry']['text'][:300]}"
        elif event["method"] == "Runtime.consoleAPICalled":
            yield "writes to the console"
        elif event["method"] == "Runtime.exceptionThrown":
            yield "throws an exception"


# Luminance of the page's background, 0 to 255.
BACKGROUND = """(() => {
  const c = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
})()"""
# Elements that reach beyond the screen, but for what lies in a box that scrolls.
BROAD = """(() => [...document.querySelectorAll('body *')].filter(e =>
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.wide,pre')).slice(0, 3)
  .map(e => e.tagName + ' ' + (e.className.baseVal ?? e.className) + ' ' +
            e.textContent.slice(0, 40)).join('; '))()"""


# Of each picture whether it is shown.
PICTURES = """Promise.all([...document.images].map(i =>
  i.decode().then(() => i.naturalWidth > 0, () => false)))"""


def check(browser, url, name, width, height, scheme, options):
    browser.events.clear()
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=name == "phone")
    browser.call("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.call("Page.navigate", url=url)
    browser.wait_for("Page.loadEventFired")
    yield from problems_of_events(browser.events, url)
    if browser.value("document.documentElement.scrollWidth") > width:
        yield "is broader than the screen: " + browser.value(BROAD)
    text = browser.value("document.body.innerText")
    shown = browser.value(PICTURES)
    if not all(shown):
        yield f"does not show {shown.count(False)} of {len(shown)} pictures"
    if len(shown) < options.pictures:
        yield f"has {len(shown)} pictures, expected {options.pictures}"
    for each in options.text:
        if each not in text:
            yield f"lacks the text {each!r}"
    if (browser.value(BACKGROUND) < 128) != (scheme == "dark"):
        yield "does not follow the colour scheme"
    if options.shots:
        for part, full in [("top", False), ("all", True)]:
            shot = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=full,
                                **({"clip": {"x": 0, "y": 0, "width": width, "scale": 1, "height":
                                             min(16000, browser.value(
                                                 "document.documentElement.scrollHeight"))}}
                                   if full else {}))
            path = pathlib.Path(options.shots) / f"{name}-{scheme}-{part}.png"
            path.write_bytes(base64.b64decode(shot["data"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--text", action="append", default=[])
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--shots")
    options = parser.parse_args()
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    if binary is None:
        print("no browser: " + ", ".join(BROWSERS))
        return 77
    if options.shots:
        pathlib.Path(options.shots).mkdir(parents=True, exist_ok=True)
    import signal
    signal.alarm(LONGEST_WAIT)
    count = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(binary, profile)
        try:
            for name, width, height in SCREENS:
                for scheme in SCHEMES:
                    for problem in check(browser, options.page.resolve().as_uri(), name, width,
                                         height, scheme, options):
                        print(f"{name}, {scheme}: the page {problem}")
                        count += 1
        finally:
            browser.close()
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
