"""Fixtures: the stills, and one server for each set of stills, shared by all tests that watch it.

    python3 -m venv V && V/bin/pip install -r Tests/browser/requirements.txt
    V/bin/python -m pytest Tests/browser

The programs needed are the Debian packages of .ci/test-packages.txt. QUIETCAM names the binary (default: the debug
build), QUIETCAM_PLAY_SECONDS the time each browser plays, QUIETCAM_ARTIFACTS a folder that keeps what they showed.
"""

import tempfile

import pytest

import judge
import quietcam
import recording

EVERY_SECONDS = 2
SERVERS = pytest.StashKey()


def pytest_configure(config):
    config.stash[SERVERS] = {}


@pytest.fixture(scope="session")
def stills_folder():
    with tempfile.TemporaryDirectory(prefix="quietcam-stills-") as folder:
        recording.write_recording(folder)
        yield folder


@pytest.fixture(scope="session")
def stills(stills_folder):
    return judge.Stills.of_folder(stills_folder)


@pytest.fixture(scope="session")
def live(pytestconfig, stills_folder):
    """A server whose camera sends the recording, a still each two seconds."""
    with quietcam.serving(stills_folder, EVERY_SECONDS) as server:
        pytestconfig.stash[SERVERS]["live"] = server
        yield server


@pytest.fixture(scope="session")
def testcard(pytestconfig):
    """A server whose camera sends the test card again and again."""
    with tempfile.TemporaryDirectory(prefix="quietcam-card-") as folder:
        recording.write_testcard(folder)
        with quietcam.serving(folder, EVERY_SECONDS) as server:
            pytestconfig.stash[SERVERS]["testcard"] = server
            yield server


@pytest.fixture
def note(record_property):
    """Takes a table which the summary at the end of the run shows."""

    def write(table):
        print(table)
        record_property("table", table)

    return write


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for name in sorted({"live", "testcard"} & set(getattr(item, "fixturenames", ()))):
            server = item.config.stash[SERVERS].get(name)
            if server is not None:
                report.sections.append((f"server {name}", server.log()))
    return report


def pytest_terminal_summary(terminalreporter):
    # Each report has them once more for the tear-down.
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    calls = [report for report in reports if report.when == "call"]
    tables = [table for report in calls for name, table in report.user_properties if name == "table"]
    if tables:
        terminalreporter.section("what the players showed")
        for table in tables:
            terminalreporter.write_line(table)
