"""A headless Chromium, spoken to over a pipe (DevTools protocol): no port, no network, no library."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
PATIENCE_S = 60


class Failed(Exception):
    """What the browser said to a command, or that it is gone."""


class Browser:
    def __init__(self, executable):
        self.profile = tempfile.mkdtemp(prefix="brownout-browser-")
        to_child, self.commands = os.pipe()
        self.answers, from_child = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_child, from_child)]

        def hand_over():  # it reads commands from 3 and answers on 4
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [executable, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"], pass_fds=(3, 4), preexec_fn=hand_over,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (to_child, from_child, *ends):
            os.close(end)
        self.last = 0
        self.rest = b""
        self.session = None
        self.requests, self.complaints = [], []
        self.loaded = False

    def __enter__(self):
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.do("Browser.close")
            self.process.wait(20)
        except (Failed, subprocess.TimeoutExpired, OSError):
            self.process.kill()
            self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], PATIENCE_S)[0]:
                raise Failed(f"no answer for {PATIENCE_S} s; it complained of {self.complaints}")
            got = os.read(self.answers, 1 << 20)
            if not got:
                raise Failed("the browser is gone")
            self.rest += got
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        """What happened of its own accord: requests, and whatever the page or the browser complained of."""
        method, said = message.get("method"), message.get("params", {})
        self.loaded = self.loaded or method == "Page.loadEventFired"
        if method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(said["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(f"console.{said['type']}: {said['args']}")
        elif method == "Log.entryAdded":
            self.complaints.append(said["entry"]["text"])

    def do(self, method, **parameters):
        self.last += 1
        command = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.last:
                if "error" in message:
                    raise Failed(f"{method}: {message['error']}")
                return message["result"]
            self.note(message)

    def evaluate(self, expression):
        """The value of an expression in the page; a promise is waited for."""
        answer = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failed(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, path):
        """Loads a file and waits until the report is drawn."""
        self.loaded = False
        self.do("Page.navigate", url=path.resolve().as_uri())
        while not self.loaded:
            self.note(self.receive())
        self.evaluate("""new Promise((drawn) => {
            const look = () => "ready" in document.documentElement.dataset ? drawn() : requestAnimationFrame(look);
            look();
        })""")

    def size(self, width, height, scale=1):
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)

    def scheme(self, name):
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def drag(self, start, end):
        mouse = lambda kind, x, y, buttons: self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                                                    buttons=buttons, clickCount=1)
        mouse("mousePressed", *start, 1)
        mouse("mouseMoved", *end, 1)
        mouse("mouseReleased", *end, 0)

    def pdf(self):
        return base64.b64decode(self.do("Page.printToPDF", printBackground=False)["data"])

    def screenshot(self, path, whole=True):
        picture = self.do("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))
