"""What browser tests share: `make lab` over a copy of the demo, and a page of headless Chromium."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from tests.helpers.workspace import workspace

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
assert CHROMIUM, "no Chromium on this machine: apt install chromium, or do without make browser"
SHOTS = Path("runs/browser").resolve()
MADE = ["Makefile", "tools/jupyter_server_config.py", "requirements.txt", "constraints.txt", "pyproject.toml"]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells on the page, so that they can be asked for
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
SERVER = {
    "ServerApp": {"allow_root": True, "port": 0, "browser": "./browser %s"},
    "LabApp": {"expose_app_in_browser": True},
}
PATIENCE = 300_000  # ms, for a busy machine
PANEL = "window.jupyterapp.shell.currentWidget"


def prepared(folder, demo=True):
    """A workspace in which `make lab` works, with no settings but its own. demo: with the demo's results in it."""
    place = workspace(folder).parent
    for name in MADE:
        (place / name).parent.mkdir(exist_ok=True)
        shutil.copy2(name, place / name)
    (place / ".venv").symlink_to(Path(".venv").resolve())
    for name, setting in SETTINGS.items():
        file = place / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(setting))
    (place / "CONFIG").mkdir()
    (place / "CONFIG/jupyter_server_config.json").write_text(json.dumps(SERVER))
    (place / "browser").write_text('#!/bin/sh\necho "$1" > opened.part && mv opened.part opened\n')
    (place / "browser").chmod(0o755)
    if not demo:
        shutil.rmtree(place / "runs")
    return place


@contextlib.contextmanager
def served(place):
    """`make lab` in a workspace; yields the address that it opens, of a file that leads on to it."""
    own = {f"JUPYTER_{name}_DIR": str(place / name) for name in ["CONFIG", "DATA", "RUNTIME"]}
    env = os.environ | own | {"JUPYTERLAB_SETTINGS_DIR": str(place / "settings"), "OMP_NUM_THREADS": "1"}
    with (place / "lab.log").open("w") as log:
        server = subprocess.Popen(["make", "lab"], cwd=place, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            yield _opened(place, server)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def _opened(place, server):
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        if (place / "opened").exists():
            return (place / "opened").read_text().strip()
        time.sleep(0.2)
    raise TimeoutError(f"make lab opened nothing:\n{(place / 'lab.log').read_text()[-2000:]}")


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def page_of(browser, address):
    """A new page at an address; page.complaints: what the browser complained of."""
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: _answer(page, dialog))
    page.goto(address)
    return page


def _answer(page, dialog):
    """Leave an unsaved notebook when asked; any other dialog is one that should not be."""
    if dialog.type != "beforeunload":
        page.complaints.append(f"{dialog.type}: {dialog.message}")
    dialog.accept()


def open_notebook(page, name):
    """Open a notebook in the JupyterLab that the page shows, and wait for its kernel."""
    page.wait_for_function("window.jupyterapp?.restored")
    order(page, f"'docmanager:open', {{path: 'notebooks/{name}'}}")
    ready(page, name)


def order(page, command):
    """Give JupyterLab an order, and wait until it is carried out."""
    page.evaluate(f"window.jupyterapp.commands.execute({command}).then(() => null)")


def ready(page, name):
    panel = "window.jupyterapp?.shell.currentWidget"
    idle = f"{panel}?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(f"{panel}?.title.label === '{name}' && {idle}")


def run_all(page):
    """Give the order that Run All Cells gives, and wait until it is carried out; returns seconds: (clock, computing).

    Computing is the kernel's, its imports included: on a busy machine the clock counts other people's work as well.
    """
    kernel, began = page.evaluate(f"{PANEL}.sessionContext.session.kernel.id"), time.monotonic()
    order(page, "'notebook:run-all-cells'")
    known = [one.info for one in psutil.process_iter(["cmdline", "cpu_times"])]
    spent = [sum(one["cpu_times"][:4]) for one in known if any(kernel in word for word in one["cmdline"] or [])]
    return time.monotonic() - began, sum(spent)


def outputs(page):
    """What the cells of the current notebook show, as nbformat has it."""
    return page.evaluate(f"{PANEL}.content.model.sharedModel.toJSON().cells.flatMap(cell => cell.outputs ?? [])")


def close(page):
    """End the notebook's kernel, which holds half a gigabyte, and its tab, unsaved."""
    page.evaluate(f"{PANEL}.sessionContext.shutdown()")
    page.evaluate(f"{PANEL}.context.model.dirty = false")
    page.evaluate(f"{PANEL}.dispose()")


def shot(page, name, at=None):
    """A screenshot under runs/browser/, after scrolling to what a locator names."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    if at is not None:
        at.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / f"{name}.png")
