"""A step that is forked from the warm process behaves as one that is run directly."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm process is for Linux")
WARM = Path(__file__).resolve().parents[2] / "workflow/scripts/warm.py"
STEP = """
import json, os, sys, time
what = sys.argv[1]
print("out", flush=True)
print("err", file=sys.stderr)
if what == "show":
    names = ("LP_TEST", "LP_OTHER", "PYTHONPATH")
    seen = {name: os.environ.get(name) for name in names}
    print(json.dumps({"argv": sys.argv, "folder": os.getcwd(), "name": __name__, "environment": seen}))
elif what == "lines":
    print(sum(len(line) for line in sys.stdin))
elif what == "torch":
    print("torch" in sys.modules, os.getppid(), sys.path[0] == os.path.dirname(__file__))
elif what == "helper":
    import warm_test_helper
    print(warm_test_helper.VALUE)
elif what == "raise":
    raise ValueError("gone wrong")
elif what == "exit":
    sys.exit(json.loads(sys.argv[2]))
elif what == "sleep":
    print(os.getpid(), flush=True)
    time.sleep(60)
elif what == "wait":
    time.sleep(0.5)
    print(sys.argv[2])
elif what == "kill":
    os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def home():
    """A folder of its own for the server's socket (its path must be short) and for the step."""
    folder = Path(tempfile.mkdtemp(prefix="lp"))
    (folder / "step.py").write_text(STEP)
    (folder / "tmp").mkdir()
    yield folder
    end = time.monotonic() + 10
    while sockets(folder) and time.monotonic() < end:
        time.sleep(0.1)
    shutil.rmtree(folder)


def sockets(home: Path) -> list[Path]:
    return list((home / "tmp").rglob("*.sock"))


def environment(home: Path, **more: str) -> dict[str, str]:
    own = {"TMPDIR": str(home / "tmp"), "OMP_NUM_THREADS": "1", "LOSSPROOF_WARM_IDLE": "3", "PATH": os.environ["PATH"]}
    return own | more


def command(home: Path, *words: str, warm: bool = True) -> list[str]:
    return [sys.executable, *([str(WARM)] if warm else []), str(home / "step.py"), *words]


def run(home: Path, *words: str, warm: bool = True, cwd: Path | None = None, text: str = "", **more: str):
    return subprocess.run(
        command(home, *words, warm=warm),
        env=environment(home, **more),
        cwd=cwd or home,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("show", "a b", "--flag", "ü"), 0),
        (("lines",), 0),
        (("exit", "0"), 0),
        (("exit", "null"), 0),
        (("exit", "3"), 3),
        (("exit", "true"), 1),
        (("exit", '"said why"'), 1),
        (("raise",), 1),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)
def test_same_as_run_directly(home, words, status):
    direct, forked = (run(home, *words, warm=warm, text="one\ntwo\n", LP_TEST="x") for warm in (False, True))
    assert direct.returncode == forked.returncode == status
    assert forked.stdout == direct.stdout
    if words[0] == "raise":
        assert forked.stderr.splitlines()[-1] == direct.stderr.splitlines()[-1] == "ValueError: gone wrong"
        assert "step.py" in forked.stderr
    else:
        assert forked.stderr == direct.stderr


def test_it_is_really_warm(home):
    forked, direct, off = (
        run(home, "torch"),
        run(home, "torch", warm=False),
        run(home, "torch", LOSSPROOF_WARM="0"),
    )
    several = run(home, "torch", OMP_NUM_THREADS="2")
    loaded, server, own_folder = forked.stdout.split()[1:]
    assert (loaded, own_folder) == ("True", "True")
    assert int(server) != os.getpid()
    for fresh in (direct, off, several):
        assert fresh.stdout.split()[1] == "False"
        assert int(fresh.stdout.split()[2]) == os.getpid()
    assert off.returncode == 0


def test_each_call_has_its_own_folder_arguments_and_environment(home, tmp_path):
    first = run(home, "show", "1", cwd=tmp_path, LP_TEST="one", LP_OTHER="only here")
    second = run(home, "show", "2", LP_TEST="two")
    one, two = (json.loads(done.stdout.splitlines()[-1]) for done in (first, second))
    assert one["folder"] == str(tmp_path)
    assert two["folder"] == str(home)
    assert one["argv"][1:] == ["show", "1"]
    assert one["argv"][0] == str(home / "step.py")
    assert (one["environment"]["LP_TEST"], one["environment"]["LP_OTHER"]) == ("one", "only here")
    assert (two["environment"]["LP_TEST"], two["environment"]["LP_OTHER"]) == ("two", None)
    assert one["name"] == "__main__"


def test_pythonpath_is_the_calls_own(home, tmp_path):
    for value in ("1", "2"):
        folder = tmp_path / value
        folder.mkdir()
        (folder / "warm_test_helper.py").write_text(f"VALUE = {value}\n")
        assert run(home, "helper", PYTHONPATH=str(folder)).stdout.split()[-1] == value
    assert run(home, "helper").returncode == 1


def test_a_changed_step_is_read_anew(home):
    script = home / "changing.py"
    for value in ("one", "two"):
        script.write_text(f"print('{value}')\n")
        done = subprocess.run(
            [sys.executable, str(WARM), str(script)], env=environment(home), capture_output=True, text=True, timeout=60
        )
        assert done.stdout == f"{value}\n"


def alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_killing_the_client_kills_the_step(home, number):
    client = subprocess.Popen(
        command(home, "sleep"),
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # A test run in the background of a shell inherits SIGINT as ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert client.stdout is not None
    assert client.stdout.readline() == "out\n"
    step = int(client.stdout.readline())
    assert step != client.pid
    assert alive(step)
    client.send_signal(number)
    client.wait(timeout=10)
    client.stdout.close()
    end = time.monotonic() + 5
    while alive(step) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(step)
    # The server is unharmed.
    assert run(home, "exit", "0").returncode == 0


def test_a_killed_step_is_a_failure(home):
    done = run(home, "kill")
    assert done.returncode not in (0, None)
    assert run(home, "exit", "3").returncode == 3


def test_clients_at_once(home):
    start = time.monotonic()
    clients = [
        subprocess.Popen(command(home, "wait", str(number)), env=environment(home), stdout=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    found = [client.communicate(timeout=60)[0].split() for client in clients]
    assert found == [["out", str(number)] for number in range(3)]
    assert [client.returncode for client in clients] == [0, 0, 0]
    assert time.monotonic() - start < 60


def test_first_clients_at_once_share_one_server(home):
    # No server yet: a socket folder of its own.
    other = home / "other"
    other.mkdir()
    clients = [
        subprocess.Popen(
            command(home, "torch"), env=environment(home, TMPDIR=str(other)), stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    found = [client.communicate(timeout=60)[0].split() for client in clients]
    assert found[0][1:] == found[1][1:]
    assert found[0][1] == "True"
    server = int(found[0][2])
    (socket,) = other.rglob("*.sock")
    assert socket.parent.stat().st_mode & 0o077 == 0
    # It ends by itself.
    end = time.monotonic() + 10
    while alive(server) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(server)
    assert not socket.exists()


def test_without_a_server_the_step_is_run_all_the_same(home):
    # A socket folder that others can enter is not used.
    shared = home / "shared"
    (shared / f"lossproof-{os.getuid()}").mkdir(parents=True)
    (shared / f"lossproof-{os.getuid()}").chmod(0o777)
    done = run(home, "exit", "3", TMPDIR=str(shared))
    assert done.returncode == 3
    assert "is not ours alone" in done.stderr


def test_help():
    done = subprocess.run([sys.executable, str(WARM), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "warm.py" in done.stdout
