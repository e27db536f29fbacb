"""Scratch servers for tests that are scripts: on unix sockets in a folder of the caller, gone with
the caller whatever ends it."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def ask(path, *words):
    """Sends one command, returns the first line of the answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(path)
        parts = [word.encode() for word in words]
        s.sendall(b"*%d\r\n" % len(parts) +
                  b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return s.makefile("rb").readline().decode().strip()


def program():
    return shutil.which("redis-server") or shutil.which("valkey-server")


class Server:
    def __init__(self, folder, name):
        self.path = os.path.join(folder, name + ".sock")
        self.process = subprocess.Popen(
            [program(), "--port", "0", "--unixsocket", self.path, "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.await_answer()

    def await_answer(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                if ask(self.path, "PING") == "+PONG":
                    return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the scratch server did not start")
            time.sleep(0.01)  # the server announces itself to nobody but a supervisor

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Servers:
    """with Servers(folder, "a", "b") as servers: servers["a"].path"""

    def __init__(self, folder, *names):
        self.folder, self.names, self.running = folder, names, {}

    def __enter__(self):
        for name in self.names:
            self.running[name] = Server(self.folder, name)
        return self.running

    def __exit__(self, *_):
        for server in self.running.values():
            server.stop()
