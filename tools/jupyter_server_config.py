"""Settings of Jupyter as `make lab` starts it: JUPYTER_CONFIG_PATH names this folder.

JupyterLab saves a notebook every two minutes, with its new outputs. A committed notebook of which nobody has changed a
cell keeps its committed outputs instead, so that running it leaves no change in git. `make outputs` renews them.
"""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def keep_committed(model, path, contents_manager, **_):
    """Before a notebook is saved: put back its committed content if the cells are those that were committed.

    model: of Jupyter's contents service, changed in place; path: relative to the server's folder.
    """
    if model.get("type") != "notebook":
        return
    committed = committed_notebook(Path(contents_manager.root_dir, path).resolve())
    if committed and written_cells(committed) == written_cells(model["content"]):
        model["content"] = committed


def committed_notebook(file):
    """The notebook as it was committed last, a dict, or None."""
    if not file.is_relative_to(ROOT):
        return None
    name = file.relative_to(ROOT).as_posix()
    shown = subprocess.run(["git", "show", f"HEAD:./{name}"], cwd=ROOT, capture_output=True, text=True)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def written_cells(notebook):
    """What a person writes in a notebook: type, source and tags of each cell."""
    cells = notebook["cells"]
    return [(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]


c = get_config()  # noqa: F821  # Jupyter defines it
c.FileContentsManager.pre_save_hook = keep_committed
