"""Listening sockets that are handed to one process after the other, as systemd does (`LISTEN_FDS`)."""

import fcntl
import socket
import subprocess


def high(low):
    """The same socket under a number that is in nobody's way."""
    with low:
        return socket.socket(fileno=fcntl.fcntl(low.fileno(), fcntl.F_DUPFD_CLOEXEC, 100))


class Keeper:
    """Holds listening sockets on loopback; who connects while no process runs waits for the next one."""

    def __init__(self, count=2):
        self.sockets = [high(socket.create_server(("127.0.0.1", 0), backlog=512)) for _ in range(count)]

    @property
    def ports(self):
        return [each.getsockname()[1] for each in self.sockets]

    def popen(self, words, names_itself=True, **options):
        """Starts a process that has the sockets as descriptors from 3 on."""
        handed = [each.fileno() for each in self.sockets]
        moves = "".join(f" {descriptor}<&{number}" for descriptor, number in enumerate(handed, 3))
        # The process itself has to be the one that is spoken of.
        pid = "$$" if names_itself else "1"
        script = f'LISTEN_PID={pid} LISTEN_FDS={len(handed)} exec "$@"{moves}'
        command = ["bash", "-c", script, "bash", *[str(word) for word in words]]
        return subprocess.Popen(command, pass_fds=handed, **options)

    def close(self):
        for each in self.sockets:
            each.close()
