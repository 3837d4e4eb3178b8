"""Drivers of the two real browsers: Chromium over CDP and Firefox over WebDriver BiDi.

Both give the same `Page`. Each run has a profile of its own, which goes away with the run, and the browser is
ended by its own process group. Nothing here talks to anything but 127.0.0.1.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import websockets

START_SECONDS = 60
ANSWER_SECONDS = 60
WINDOW = (1024, 768)


class BrowserError(Exception):
    """The browser could not be started, or answered a command with an error."""


class Connection:
    """Commands with ids, their answers, and events, over one websocket: what CDP and BiDi have in common."""

    def __init__(self, socket, on_event):
        self.socket = socket
        self.on_event = on_event
        self.ids = itertools.count(1)
        self.waiting = {}
        self.reader = asyncio.create_task(self._read())

    async def _read(self):
        try:
            async for text in self.socket:
                message = json.loads(text)
                answer = self.waiting.pop(message.get("id"), None)
                if answer is None:
                    self.on_event(message.get("method"), message.get("params", {}))
                elif not answer.done():
                    answer.set_result(message)
        finally:
            for answer in self.waiting.values():
                if not answer.done():
                    answer.set_exception(BrowserError("the browser closed the connection in the middle of a command"))

    async def send(self, method, params, **more):
        if self.reader.done():
            raise BrowserError(f"{method}: the browser has closed the connection")
        id = next(self.ids)
        answer = self.waiting[id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": id, "method": method, "params": params, **more}))
        try:
            message = await asyncio.wait_for(answer, ANSWER_SECONDS)
        except asyncio.TimeoutError:
            raise BrowserError(f"{method}: no answer from the browser in {ANSWER_SECONDS} s") from None
        if "error" in message:
            raise BrowserError(f"{method}: {message['error']} {message.get('message', '')}".strip())
        return message["result"]

    async def close(self):
        with contextlib.suppress(Exception):
            await self.socket.close()
        with contextlib.suppress(Exception):
            await self.reader


class Page:
    """One page of a running browser. `errors` holds uncaught exceptions, `messages` what it wrote to its console."""

    name = version = "?"

    def __init__(self):
        self.errors = []
        self.messages = []

    async def eval(self, expression):
        """The value of a JavaScript expression, awaited when it is a promise, by way of JSON."""
        text = await self._evaluate(f"(async () => JSON.stringify(await ({expression})))()")
        return None if text is None else json.loads(text)

    async def run(self, script):
        """Runs a whole script in the page, as its own would."""
        await self._evaluate(f"{script}\n;null")

    async def shot(self):
        """What the window shows now, as a PNG."""
        return base64.b64decode(await self._capture())

    async def screenshot(self, path):
        """Writes what the window shows now, as a PNG."""
        pathlib.Path(path).write_bytes(await self.shot())


class ChromiumPage(Page):
    name = "chromium"

    async def _start(self, socket):
        self.loaded = asyncio.Event()
        self.session = None
        self.connection = Connection(socket, self._event)
        self.version = (await self._send("Browser.getVersion"))["product"].split("/")[1]
        targets = (await self._send("Target.getTargets"))["targetInfos"]
        target = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = await self._send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self._send(domain + ".enable")

    async def _send(self, method, **params):
        more = {"sessionId": self.session} if self.session else {}
        return await self.connection.send(method, params, **more)

    def _event(self, method, params):
        if method == "Page.loadEventFired":
            self.loaded.set()
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled":
            words = [str(item.get("value", item.get("description", ""))) for item in params["args"]]
            self.messages.append(f"{params['type']}: {' '.join(words)}")
        elif method == "Log.entryAdded":
            entry = params["entry"]
            self.messages.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")

    async def preload(self, script):
        """Runs the script in every page that opens from now on, before the page's own scripts."""
        await self._send("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def goto(self, url):
        self.loaded.clear()
        answer = await self._send("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError(f"{url} did not open: {answer['errorText']}")
        await asyncio.wait_for(self.loaded.wait(), ANSWER_SECONDS)

    async def act(self, script):
        """Runs a script as if a visitor had just clicked."""
        await self._send("Runtime.evaluate", expression=script, userGesture=True)

    async def size(self, width, height):
        """Makes the window so large."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self._send("Emulation.setDeviceMetricsOverride", **metrics)

    async def press(self, key):
        """Presses a key, as a visitor does."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        more = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes[key]}
        text = {"Enter": "\r", " ": " "}.get(key)
        await self._send("Input.dispatchKeyEvent", type="keyDown", **more, **({"text": text} if text else {}))
        await self._send("Input.dispatchKeyEvent", type="keyUp", **more)

    async def _evaluate(self, expression):
        answer = await self._send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    async def _capture(self):
        return (await self._send("Page.captureScreenshot", format="png"))["data"]

    async def _quit(self):
        self.session = None
        await self._send("Browser.close")


class FirefoxPage(Page):
    name = "firefox"

    async def _start(self, socket):
        self.connection = Connection(socket, self._event)
        session = await self._send("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        self.version = session["capabilities"]["browserVersion"]
        contexts = (await self._send("browsingContext.getTree"))["contexts"]
        self.context = contexts[0]["context"]
        await self._send("session.subscribe", events=["log.entryAdded"])
        await self._send(
            "browsingContext.setViewport",
            context=self.context,
            viewport={"width": WINDOW[0], "height": WINDOW[1]},
        )

    async def _send(self, method, **params):
        return await self.connection.send(method, params)

    def _event(self, method, params):
        if method != "log.entryAdded":
            return
        line = f"{params['level']}: {params.get('text')}"
        if params.get("type") == "javascript" and params["level"] == "error":
            self.errors.append(params.get("text"))
        else:
            self.messages.append(line)

    async def preload(self, script):
        """Runs the script in every page that opens from now on, before the page's own scripts."""
        await self._send("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    async def goto(self, url):
        await self._send("browsingContext.navigate", context=self.context, url=url, wait="complete")

    async def press(self, key):
        """Presses a key, as a visitor does."""
        value = {"Tab": "\ue004", "Enter": "\ue006", "Escape": "\ue00c"}.get(key, key)
        actions = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        await self._send("input.performActions", context=self.context, actions=[source])

    async def _evaluate(self, expression):
        answer = await self._send(
            "script.evaluate", expression=expression, target={"context": self.context}, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise BrowserError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    async def _capture(self):
        return (await self._send("browsingContext.captureScreenshot", context=self.context))["data"]

    async def _quit(self):
        await self._send("browser.close")


CHROMIUM_SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-extensions",
    # The page must run as on a visible screen, whatever the machine thinks of its window.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=no-user-gesture-required",
    "--force-color-profile=srgb",
    # A test that needs HTTPS signs its own certificate.
    "--ignore-certificate-errors",
    f"--window-size={WINDOW[0]},{WINDOW[1]}",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]

# Everything but 127.0.0.1 goes to a proxy that is not there, so Firefox's own services reach nothing.
FIREFOX_PREFERENCES = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.allow_hijacking_localhost": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.startup.homepage": "about:blank",
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "extensions.update.enabled": False,
    "dom.timeout.enable_budget_timer_throttling": False,
    "gfx.color_management.mode": 0,
}


@contextlib.asynccontextmanager
async def chromium():
    """Chromium, headless, with a fresh profile: `async with chromium() as page`."""

    def command(home):
        return [_program("chromium", "chromium"), *CHROMIUM_SWITCHES, f"--user-data-dir={home}/profile", "about:blank"]

    def address(home):
        lines = (home / "profile/DevToolsActivePort").read_text().split()
        return f"ws://127.0.0.1:{int(lines[0])}{lines[1]}"

    async with _running(command, address, ChromiumPage()) as page:
        yield page


@contextlib.asynccontextmanager
async def firefox(**preferences):
    """Firefox ESR, headless, with a fresh profile: `async with firefox() as page`. Underscores stand for dots in the
    names of further preferences."""

    def command(home):
        wanted = FIREFOX_PREFERENCES | {key.replace("_", "."): value for key, value in preferences.items()}
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in wanted.items()]
        (home / "profile/user.js").write_text("\n".join(lines) + "\n")
        program = _program("firefox-esr", "firefox-esr")
        arguments = ["--headless", "--no-remote", "--profile", f"{home}/profile", "--remote-debugging-port", "0"]
        return [program, *arguments, "about:blank"]

    def address(home):
        server = json.loads((home / "profile/WebDriverBiDiServer.json").read_text())
        return f"ws://127.0.0.1:{int(server['ws_port'])}/session"

    async with _running(command, address, FirefoxPage()) as page:
        yield page


BROWSERS = {"chromium": chromium, "firefox": firefox}


class Outcomes:
    """What came of the turn of each browser: `outcomes[browser]` hands it back, or raises what ended that turn."""

    def __init__(self, found):
        self.found = found

    def __getitem__(self, browser):
        if isinstance(self.found[browser], BaseException):
            raise self.found[browser]
        return self.found[browser]


def at_once(turn):
    """Awaits `turn(browser)` for all browsers at once: they wait most of the time."""

    async def all_of_them():
        return await asyncio.gather(*(turn(browser) for browser in BROWSERS), return_exceptions=True)

    return Outcomes(dict(zip(BROWSERS, asyncio.run(all_of_them()))))


def _program(name, package):
    path = shutil.which(name)
    if path is None:
        raise BrowserError(f"{name} is missing; install the Debian package {package}")
    return path


@contextlib.asynccontextmanager
async def _running(command, address, page):
    home = pathlib.Path(tempfile.mkdtemp(prefix="quietcam-browser-"))
    process = None
    try:
        (home / "profile").mkdir()
        log = home / "log"
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
        # A session of its own, so that the helper processes end with it.
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command(home),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        socket = await _connect(process, lambda: address(home), log)
        async with socket:
            await page._start(socket)
            try:
                yield page
            finally:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(page._quit(), 5)
                await page.connection.close()
    finally:
        # Not on this thread, which other browsers and their servers may be waiting for.
        if process is not None:
            await asyncio.to_thread(_end, process)
        await asyncio.to_thread(_remove, home)


async def _connect(process, address, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        # The file with the address appears, possibly half written, once the browser listens.
        with contextlib.suppress(OSError, ValueError, IndexError, KeyError):
            return await websockets.connect(address(), max_size=None, proxy=None, ping_interval=None)
        await asyncio.sleep(0.1)
    state = "still runs" if process.poll() is None else f"ended with {process.returncode}"
    output = log.read_text(errors="replace")[-2000:]
    raise BrowserError(f"{process.args[0]} {state} but gave no debugging address; its output was:\n{output}")


def _end(process):
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


def _remove(home):
    # Helper processes may still write for a moment after the browser itself has ended.
    for _ in range(20):
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        time.sleep(0.1)
    raise BrowserError(f"{home} could not be removed; a browser process still writes to it")
