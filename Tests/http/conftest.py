"""Black-box tests of the built program over real connections.

`QUIETCAM` names the binary; without it the debug build of this repository is taken.
"""

import pathlib
import sys
import threading
import time

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import serving  # noqa: E402  (these need the path above)
import stills  # noqa: E402
import watching  # noqa: E402

PLAYLIST_SECONDS = 15
MEDIA_SECONDS = 20


@pytest.fixture(scope="session")
def playlist_watcher():
    """A server with short segments and the watcher of its playlists."""
    # Without stills the picture stands: the loop of an off camera is published ahead, which other tests are about.
    options = ["--size", "128x96", "--part", 0.5, "--segment", 1, "--window", 6, "--hold", "forever"]
    with serving.serving(*options) as server:
        watcher = watching.PlaylistWatcher(server, PLAYLIST_SECONDS)
        pusher = threading.Thread(target=_push_while, args=(watcher,), daemon=True)
        pusher.start()
        yield watcher
        for thread in (watcher.thread, pusher):
            thread.join(PLAYLIST_SECONDS + 30)


def _push_while(watcher):
    count = 0
    while watcher.thread.is_alive():
        watcher.server.push(stills.solid(count * 40 % 256, count * 90 % 256, 128))
        count += 1
        time.sleep(0.7)


@pytest.fixture(scope="session")
def media_server():
    with serving.serving("--size", "160x120", "--rate", 4, "--part", 0.5, "--segment", 2) as server:
        yield server


@pytest.fixture(scope="session")
def irregular_camera(media_server):
    camera = watching.IrregularCamera(media_server)
    yield camera
    camera.stop()


@pytest.fixture(scope="session")
def media_watcher(media_server, irregular_camera):
    """The watcher of a server whose camera sends stills as it likes."""
    watcher = watching.MediaWatcher(media_server, MEDIA_SECONDS)
    yield watcher
    watcher.thread.join(MEDIA_SECONDS + 30)


@pytest.fixture(scope="session", autouse=True)
def watchers_begin(request):
    """The watchers begin with the session, so that hardly any test has to wait for them."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted({"playlist_watcher", "media_watcher"} & wanted):
        request.getfixturevalue(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    for server in getattr(item, "funcargs", {}).values() if report.failed else ():
        if isinstance(server, serving.Server):
            report.sections.append((f"server {server.process.args[1:]}", server.log()[-4000:]))
    return report
