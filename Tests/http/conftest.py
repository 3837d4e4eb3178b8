"""Black-box tests of the built program over real connections.

`QUIETCAM` names the binary; without it the debug build of this repository is taken.
"""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

import serving  # noqa: E402  (it needs the path above)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keeps the tests of a file on one worker (`--dist loadgroup`), but for those that are apart, and begins the long ones."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        if not item.get_closest_marker("apart") and not item.get_closest_marker("long"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    for server in getattr(item, "funcargs", {}).values() if report.failed else ():
        if isinstance(server, serving.Server):
            report.sections.append((f"server {server.process.args[1:]}", server.log()[-4000:]))
    return report
