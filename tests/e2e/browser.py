"""A real browser for the pages that the program writes: headless Chromium, spoken to over a pair of pipes in its
DevTools protocol, so that nothing but the Debian package `chromium` is needed."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile

CHROMIUM = shutil.which("chromium")
LONGEST_ANSWER_S = 60


class Browser:
    """One page. As a context manager it ends the browser."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="aitqe-chromium-", ignore_cleanup_errors=True)
        orders_out, self.orders = os.pipe()
        self.answers, answers_in = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (orders_out, answers_in)]

        def as_chromium_wants_them():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": self.profile.name}, preexec_fn=as_chromium_wants_them, pass_fds=(3, 4))
        for end in (orders_out, answers_in, *ends):
            os.close(end)
        self.unread = b""
        self.number = 0
        self.session = None
        self.complaints = []  # what the page said on its console, and errors of its script
        self.requests = []  # every address that the page asked for
        target = self.order("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.order(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        os.close(self.orders)
        os.close(self.answers)
        self.profile.cleanup()

    def order(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.orders, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next_message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def next_message(self):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.answers], [], [], LONGEST_ANSWER_S)
            more = os.read(self.answers, 1 << 20) if ready else b""
            if not more:
                raise AssertionError(f"the browser ended or hangs, exit code {self.process.poll()}")
            self.unread += more
        text, _, self.unread = self.unread.partition(b"\0")
        message = json.loads(text)
        self.note(message.get("method", ""), message.get("params", {}))
        return message

    def note(self, method, parameters):
        if method == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(parameters["args"]))
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append("dialog: " + parameters["message"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def wait_for(self, method):
        while self.next_message().get("method") != method:
            pass

    def open(self, path):
        self.order("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def run(self, script):
        """@return the value of a JavaScript expression"""
        result = self.order("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def texts(self, selector):
        """The text of every element that a CSS selector finds."""
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((node) => node.textContent)")

    def table(self, place, title):
        """@return the rows, as lists of texts, of the first table below `place` whose title begins so"""
        rows = self.run(f"""(() => {{
            const named = [...document.querySelectorAll({json.dumps(place + " table")})].find(
                (table) => table.caption.textContent.startsWith({json.dumps(title)}));
            return named && [...named.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent));
        }})()""")
        if rows is None:
            raise AssertionError(f"{place} has no table {title!r}")
        return rows

    def bars(self, place):
        """@return (title, height) of every bar of the charts below `place`, from left to right"""
        return [tuple(bar) for bar in self.run(
            f"[...document.querySelectorAll({json.dumps(place + ' .chart rect')})]"
            ".map((bar) => [bar.textContent, Number(bar.getAttribute('height'))])")]

    def fill(self, field, value):
        """What typing or choosing does: sets a field by id and tells the page."""
        self.run(f"(() => {{ const field = document.getElementById({json.dumps(field)});"
                 f" field.value = {json.dumps(value)};"
                 " field.dispatchEvent(new Event('input', {bubbles: true})); })()")

    def press(self, key):
        text = {"Enter": "\r"}.get(key, "")  # without it a key is no key press, which is what opens and follows
        for kind in ("keyDown", "keyUp"):
            self.order("Input.dispatchKeyEvent", type=kind, key=key, code=key, **({"text": text} if text else {}),
                       windowsVirtualKeyCode={"ArrowRight": 39, "Tab": 9, "Enter": 13}[key])

    def look(self, width, height, scheme="light"):
        """Makes the window so large and the system's colours so."""
        self.order("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                   mobile=width < 600)
        self.order("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        # Two frames: observers of sizes have run and drawn.
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def picture(self, path):
        shot = self.order("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))
