"""A network of our own, in which anybody may have port 53: only loopback, and nothing of the host's."""

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1


def enter():
    """This process and its children to come are in it from now on. Says why not where that cannot be, else ""."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return "no network namespace: " + os.strerror(ctypes.get_errno())
    # All of 127.0.0.0/8 is there as soon as it is up.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sH", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack_from("H", fcntl.ioctl(any_socket, SIOCGIFFLAGS, name), 16)[0]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH", b"lo", flags | IFF_UP).ljust(40, b"\0"))
    return ""
