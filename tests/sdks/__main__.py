"""Install the clients, start `serve` for each script, run them, and print a table.

    python -m tests.sdks

The exit code is 0 if every client printed what it must. A client that cannot be
installed here, as without npm, is named and skipped.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.sdks.clients import CLIENTS, NPM, PIP, SCRIPTS, Client

HOME = Path(".venv-sdks").absolute()
BIN = HOME / "bin"
SECONDS = 120
"""How long a client may take."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(*words: str, **options: object) -> None:
    subprocess.run(words, check=True, **options)  # type: ignore[call-overload] # noqa: S603 - this file's words


def install() -> None:
    """Install what is missing in an environment of its own."""
    if not (BIN / "python").exists():
        say(f"Installing {', '.join(PIP)} into {HOME.name}, once")
        run(sys.executable, "-m", "venv", str(HOME))
        run(str(BIN / "pip"), "install", "-qq", "--disable-pip-version-check", *PIP)
    if shutil.which("npm") and not (HOME / "node_modules").exists():
        say(f"Installing {', '.join(NPM)} into {HOME.name}, once")
        run("npm", "install", "--silent", "--prefix", str(HOME), *NPM)


@contextmanager
def serving(script: object) -> Iterator[dict[str, str]]:
    """Run `serve` with a script; yield the variables that it prints."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        path = Path(folder) / "answers.json"
        path.write_text(json.dumps(script), encoding="utf-8")
        words = ["-m", "langchain_bedrock_continue", "serve", "--script", str(path)]
        server = stack.enter_context(
            subprocess.Popen(  # noqa: S603 - the words are this file's
                [sys.executable, *words], stdout=subprocess.PIPE, encoding="utf-8"
            )
        )
        stack.callback(server.send_signal, signal.SIGINT)
        lines = (server.stdout or sys.stdin).readline
        printed = "".join(lines() for _ in range(6))
        yield dict(re.findall(r"(AWS_\w+)=(\S+)", printed))


def environment(client: Client, settings: Mapping[str, str]) -> dict[str, str]:
    """Return a client's variables: those that `serve` prints, and none of AWS's."""
    own = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "PYTHON"))}
    own |= {"AWS_EC2_METADATA_DISABLED": "true", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    if client.endpoint:
        own[client.endpoint] = settings["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    return own | dict(settings)


def version(client: Client) -> str:
    """Return the installed version of a client's package, or nothing."""
    package = HOME / "node_modules" / client.package / "package.json"
    if package.exists():
        return str(json.loads(package.read_text(encoding="utf-8"))["version"])
    code = f"import importlib.metadata as m; print(m.version({client.package!r}))"
    words = [str(BIN / "python"), "-c", code]
    asked = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - this file's
    return asked.stdout.strip()


def result(client: Client, settings: Mapping[str, str]) -> tuple[bool, str]:
    """Run a client; return whether it printed what it must, and the words for it."""
    installed = version(client)
    if not installed:
        return True, f"skipped: {client.package} is not installed"
    words = [
        word.replace("{python}", str(BIN / "python")).replace("{bin}", str(BIN))
        for word in client.command
    ]
    done = subprocess.run(  # noqa: S603 - the words are this package's
        words,
        env=environment(client, settings),
        cwd=HOME,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()  # litellm prints an advertisement among them
    if tuple(line for line in lines if line in client.prints) == client.prints:
        return True, f"works with {installed}"
    said = f"{done.stdout[-500:]}\n{done.stderr[-1_500:]}"
    return False, f"FAILED with {installed}, exit code {done.returncode}:\n{said}"


def main() -> int:
    """Run all clients; return the exit code."""
    install()
    passed = True
    with ExitStack() as stack:
        settings = {
            name: stack.enter_context(serving(script))
            for name, script in SCRIPTS.items()
        }
        for client in CLIENTS:
            works, words = result(client, settings[client.script])
            passed = passed and works
            say(f"{client.name:<52} {words}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
