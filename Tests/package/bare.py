"""A bare Debian 12 in a folder, without Swift and without FFmpeg, in which programs run as on a machine of its own."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".build" / "bare"
BASE = CACHE / "bookworm"
ARCHIVES = CACHE / "archives"
APT = """\
Dir::Cache::Archives "/srv/archives";
APT::Keep-Downloaded-Packages "true";
DPkg::Options { "--force-unsafe-io"; };
"""


def reason_against():
    """Why there can be no bare Debian here; `None` if there can."""
    if os.geteuid() != 0:
        return "only root can make a bare Debian and run programs in it"
    for program in ("debootstrap", "unshare", "chroot", "dpkg-deb"):
        if not shutil.which(program):
            return f"{program} is not installed: .ci/setup.sh deb installs it"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return "this machine allows no mounts of its own (unshare --mount)"
    return None


def mirror():
    """Where this machine's own apt has Debian's packages from."""
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n")
    sources = [line.split()[0] for line in lines if line.endswith(" bookworm main")]
    # Without lists apt knows none, and debootstrap has a mirror that it takes by itself.
    return sources[:1]


def base():
    """The folder of the bare Debian, made the first time."""
    if not BASE.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = pathlib.Path(tempfile.mkdtemp(prefix="partial-", dir=CACHE))
        try:
            words = ["debootstrap", "--variant=minbase", "bookworm", partial, *mirror()]
            done = subprocess.run(words, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
            partial.chmod(0o755)
            partial.rename(BASE)
        finally:
            if partial.exists():
                shutil.rmtree(partial)
    return BASE


class Bare:
    """A copy of the bare Debian that is thrown away."""

    def __init__(self, folder):
        self.root = folder / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", base(), self.root], check=True)
        ARCHIVES.mkdir(exist_ok=True)
        (self.root / "srv" / "archives").mkdir()
        for name in ("sources.list", "sources.list.d", "trusted.gpg", "trusted.gpg.d", "keyrings", "auth.conf.d"):
            self._copy(pathlib.Path("/etc/apt") / name)
        # How apt gets to the network here, but not what else it does on this machine.
        for file in pathlib.Path("/etc/apt/apt.conf.d").glob("*"):
            if "Acquire" in file.read_text(errors="replace"):
                self._copy(file)
        self._copy(pathlib.Path("/etc/resolv.conf"))
        self._copy(pathlib.Path("/usr/share/keyrings"))
        (self.root / "srv" / "apt.conf").write_text(APT)

    def _copy(self, path):
        target = self.root / path.relative_to("/")
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        elif path.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)

    def words(self, *words, user=None):
        """The command line that runs a command in here, in place of itself: signals reach it."""
        mounts = f"mount --bind {ARCHIVES} {self.root}/srv/archives && mount --bind /dev {self.root}/dev"
        mounts += f" && mount --bind /proc {self.root}/proc"
        who = ["--userspec", f"{user}:{user}"] if user else []
        return [
            "unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mounts} && exec chroot "$@"', "sh", *who,
            str(self.root), *map(str, words),
        ]

    def environment(self, **more):
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/",
            "DEBIAN_FRONTEND": "noninteractive", "APT_CONFIG": "/srv/apt.conf",
            **{key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}, **more,
        }

    def run(self, *words, code=0, user=None):
        """What a command says, once it has ended with this code."""
        done = subprocess.run(
            self.words(*words, user=user), capture_output=True, text=True, cwd="/", env=self.environment(),
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def install(self, package):
        """Installs a package as people do, with what it depends on."""
        target = self.root / "root" / package.name
        shutil.copy(package, target)
        self.run("apt-get", "update")
        said = self.run("apt-get", "install", "-y", "--no-install-recommends", f"/root/{package.name}")
        target.unlink()
        return said

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text()

    def names(self):
        """Everything in here whose name tells where it is from, besides what apt and dpkg remember of themselves."""
        passed = ("var/log", "var/cache", "srv", "proc", "dev", "sys")
        return sorted(
            str(path.relative_to(self.root)) for path in self.root.rglob("*quietcam*")
            if not str(path.relative_to(self.root)).startswith(passed)
        )


@contextlib.contextmanager
def bare():
    """A bare Debian that is gone afterwards."""
    base()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="try-", dir=CACHE))
    try:
        yield Bare(folder)
    finally:
        shutil.rmtree(folder)
