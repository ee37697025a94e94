"""Each notebook runs, and prints what its file has kept; `make notebooks` writes it."""

import json
import re
from pathlib import Path

import pytest

from tests.support import notebooks

PATHS = notebooks.paths()


def name_of(path: Path) -> str:
    return path.stem


REAL = [path for path in PATHS if "LocalBedrock().start()" in path.read_text("utf-8")]
"""The notebooks that ask a real model on this machine."""

SCRIPTED = [path for path in PATHS if path not in REAL]


def assert_prints_what_is_kept(path: Path) -> None:
    found = notebooks.changes(notebooks.read(path), notebooks.executed(path))
    assert not found, "\n".join(f"cell {cell}:\n{found[cell]}" for cell in found)


@pytest.mark.parametrize("path", SCRIPTED, ids=name_of)
def test_a_notebook_prints_what_its_file_has_kept(path: Path) -> None:
    assert_prints_what_is_kept(path)


@pytest.mark.model
@pytest.mark.usefixtures("real_model")
@pytest.mark.parametrize("path", REAL, ids=name_of)
def test_a_notebook_with_a_real_model_prints_it_too(path: Path) -> None:
    assert_prints_what_is_kept(path)


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_a_file_has_the_form_in_which_it_is_written(path: Path, tmp_path: Path) -> None:
    kept = notebooks.read(path)
    again = tmp_path / path.name
    notebooks.write(again, kept, kept)
    assert again.read_text("utf-8") == path.read_text("utf-8")


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_a_file_has_all_outputs_and_nothing_that_differs_between_runs(
    path: Path,
) -> None:
    notebook = notebooks.read(path)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert any(cell["outputs"] for cell in cells)
    text = path.read_text("utf-8")
    for unstable in ("127.0.0.1", "lc_run-", "ipykernel_", "0x7f", str(Path.home())):
        assert unstable not in text
    assert all(cell["execution_count"] is None for cell in cells)
    for output in [output for cell in cells for output in cell["outputs"]]:
        assert output["output_type"] != "error"
        assert output.get("execution_count") is None


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_its_links_lead_to_files(path: Path) -> None:
    cells = notebooks.read(path)["cells"]
    texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", "\n".join(texts)):
        assert (path.parent / link).is_file(), link


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_its_first_cell_switches_to_aws(path: Path) -> None:
    cells = notebooks.read(path)["cells"]
    first = next(cell["source"] for cell in cells if cell["cell_type"] == "code")
    assert 'os.environ.get("BEDROCK_ENDPOINT") == "aws"' in first
    assert 'os.environ.get("BEDROCK_MODEL", ' in first


def test_a_changed_output_is_found() -> None:
    notebook = notebooks.read(PATHS[-1])
    other = json.loads(json.dumps(notebook))
    cell = next(cell for cell in other["cells"] if cell.get("outputs"))
    cell["outputs"][0]["text"] = "another text\n"
    assert list(notebooks.changes(notebook, other)) == [cell["id"]]


def test_of_a_cell_that_varies_only_the_digits_may_differ() -> None:
    def notebook_with(text: str) -> dict[str, object]:
        cell = {
            "id": "a",
            "cell_type": "code",
            "metadata": {"tags": [notebooks.VARIES]},
            "outputs": [{"output_type": "stream", "name": "stdout", "text": text}],
        }
        return {"cells": [cell]}

    kept = notebook_with("81 tokens, 342 tok/s, 0.2 s")
    assert notebooks.changes(kept, notebook_with("81 tokens, 1,038 tok/s, 12 s")) == {}
    assert notebooks.changes(kept, notebook_with("81 tokens, incomplete, 12 s"))
