"""Run a command without any network but this machine's own loopback (Linux): `python tests/offline.py make demo`.

The system itself refuses: the command and all that it starts live in an empty network namespace. Loopback stays, since
Jupyter talks to its kernels over it.
"""

import ctypes
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys

NEW_USER, NEW_NET = 0x10000000, 0x40000000  # of unshare(2)
SET_FLAGS, UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP of netdevice(7)


def refuse_network():
    """Leave the network for an empty one. Raises OSError where the system does not allow that."""
    system, own = ctypes.CDLL(None, use_errno=True), {"uid_map": os.getuid(), "gid_map": os.getgid()}
    if system.unshare(NEW_NET):  # allowed to root; others need a user namespace, in which they stay who they are
        if system.unshare(NEW_USER | NEW_NET):
            raise OSError(ctypes.get_errno(), "this system allows no network namespace")
        for name, number in {"setgroups": "deny", **{key: f"{n} {n} 1" for key, n in own.items()}}.items():
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(number)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH22x", b"lo", UP))


@functools.cache
def prefix():
    """What to put before a command so that it runs without network: a list, empty where the system allows none."""
    words = [sys.executable, os.path.abspath(__file__)]
    return words if not subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode else []


if __name__ == "__main__":
    refuse_network()
    os.execvp(sys.argv[1], sys.argv[1:])
