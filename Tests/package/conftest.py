"""The Debian package in a bare Debian 12. `make test-deb` builds it first."""

import pathlib
import sys

import pytest

sys.path += [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("browser", "http")]

import bare  # noqa: E402  (it needs the path above)


@pytest.fixture(scope="session")
def package():
    """The package that was built last."""
    if reason := bare.reason_against():
        pytest.skip(reason)
    found = sorted((bare.ROOT / ".build" / "package").glob("quietcam_*_amd64.deb"))
    assert len(found) == 1, "there is no package, or more than one, in .build/package; make deb makes it"
    return found[0]
