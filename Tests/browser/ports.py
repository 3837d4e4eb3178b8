"""Ports of loopback for programs that cannot be told to take any free one."""

import contextlib
import os
import pathlib
import socket

# From the second on the kernel gives ports to connections, and to servers that take any.
RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST, LAST = 10_000, max(20_000, int(RANGE.read_text().split()[0])) - 1


def free_ports(count):
    """Ports that nobody uses, and that nobody else gets from here while this process lives."""
    # Processes that begin at once look in different places.
    start = os.getpid() * 37
    found = []
    for number in range(LAST - FIRST + 1):
        port = FIRST + (start + number) % (LAST - FIRST + 1)
        if len(found) == count:
            return found
        with contextlib.suppress(OSError), socket.socket() as probe, socket.socket(socket.AF_UNIX) as name:
            # A port that no program has yet cannot be kept; a name can, until the process ends.
            name.bind(f"\0quietcam-tests-port-{port}")
            probe.bind(("127.0.0.1", port))
            found.append(port)
            name.detach()
    raise OSError(f"fewer than {count} free ports below {LAST + 1}")
