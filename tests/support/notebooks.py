"""Executes the notebooks, and writes or compares their outputs.

    python -m tests.support.notebooks [quickstart ...]

executes the notebooks, all by default, and writes what they print into the files. An
output is kept if it says the same in every run: there are no counts, no times and no
ids in it. A cell with the tag `varies` is the exception: its outputs are compared
without their digits, and kept as they are if only the digits differ. Clear them to have
new ones.

A notebook runs in a kernel of its own, in its folder, without the environment variables
that lead to AWS. Text, HTML and streams are compared exactly; images by their presence.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat as untyped_nbformat
from nbclient import NotebookClient

nbformat: Any = untyped_nbformat

FOLDER = Path(__file__).parents[2] / "notebooks"
SECONDS = 300
"""The longest that a cell, or the start of a kernel, may take on a busy machine."""

VARIES = "varies"


def paths() -> list[Path]:
    """Return the notebooks."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def executed(path: Path) -> Any:
    """Execute a notebook, and return it with its outputs.

    Args:
        path: The notebook. Its file is not changed.

    Raises:
        CellExecutionError: A cell failed.
    """
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        startup_timeout=SECONDS,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],  # a warning that TCP is not encrypted
    )
    with TemporaryDirectory() as ipython:
        client.execute(env=_environment(ipython))
    for cell in _code_cells(notebook):
        cell["execution_count"] = None
        cell["metadata"].pop("execution", None)  # when it ran
        cell["outputs"] = [_plain(output) for output in cell["outputs"]]
    notebook["metadata"]["language_info"] = {"name": "python"}
    return notebook


def _environment(ipython: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "BEDROCK_", "LANGSMITH_", "LANGCHAIN_TRACING"))
    }
    quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    # A file that the reader's IPython starts with would be a part of the notebook.
    return {**kept, **quiet, "IPYTHONDIR": ipython}


def _code_cells(notebook: Any) -> Iterator[Any]:
    return (cell for cell in notebook["cells"] if cell["cell_type"] == "code")


def _plain(output: Any) -> Any:
    plain = {name: value for name, value in output.items() if name != "transient"}
    if "execution_count" in plain:
        plain["execution_count"] = None
    return nbformat.from_dict(plain)


def changes(kept: Any, now: Any) -> dict[str, str]:
    """Compare a notebook with its execution.

    Args:
        kept: The notebook as it is in its file.
        now: The same notebook, executed.

    Returns:
        The differences of the outputs, by the id of the cell.
    """
    found = {
        before["id"]: "\n".join(
            unified_diff(_lines(before), _lines(after), "kept", "now", n=0, lineterm="")
        )
        for before, after in zip(_code_cells(kept), _code_cells(now), strict=True)
    }
    return {cell: difference for cell, difference in found.items() if difference}


def _lines(cell: Any) -> list[str]:
    """Return the outputs of a cell as lines, without what may differ."""
    outputs = [_comparable(output) for output in cell["outputs"]]
    text = json.dumps(outputs, sort_keys=True, indent=1).replace("\\n", "\n")
    varies = VARIES in cell["metadata"].get("tags", [])
    return (re.sub(r"[\d.,]+", "#", text) if varies else text).splitlines()


def _comparable(output: Any) -> Any:
    data = {
        kind: "" if kind.startswith("image/") else content
        for kind, content in output.get("data", {}).items()
    }
    return {**_plain(output), "data": data}


def write(path: Path, kept: Any, now: Any) -> None:
    """Write an executed notebook, always in the same form.

    Args:
        path: The file.
        kept: What the file had.
        now: What is written, but for outputs of which only digits differ.
    """
    changed = changes(kept, now)
    outputs = {cell["id"]: cell["outputs"] for cell in _code_cells(kept)}
    for cell in _code_cells(now):
        if cell["id"] not in changed:
            cell["outputs"] = outputs[cell["id"]]
    split = nbformat.v4.writes(now, sort_keys=True, indent=1, ensure_ascii=False)
    path.write_text(split.rstrip("\n") + "\n", "utf-8")


def main(names: list[str]) -> None:
    """Execute notebooks, and write them.

    Args:
        names: Their names, without the suffix; all by default.
    """
    chosen = [path for path in paths() if not names or path.stem in names]
    for path in chosen:
        sys.stdout.write(f"{path.name}\n")
        write(path, read(path), executed(path))


if __name__ == "__main__":
    main(sys.argv[1:])
