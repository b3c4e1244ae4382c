"""Claims that only a browser can test: JupyterLab with the notebooks of the demo, in headless Chromium (make browser).

Screenshots of what was seen go to runs/browser/, to be looked at.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from workspace import workspace

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
assert CHROMIUM, "no Chromium on this machine: apt install chromium, or do without make browser"
SHOTS = Path("runs/browser").resolve()
SIX = ["a1", "a2", "b1", "b2", "c1", "general"]
HOSTILE = "<img src=x onerror=alert(1)> $x_{ \u202e"
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells on the page, so that they can be asked for
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
PATIENCE = 300_000  # ms, for a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab over a copy of the demo, with no settings but its own."""
    place = workspace(tmp_path_factory.mktemp("lab")).parent
    for name, setting in SETTINGS.items():
        file = place / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(setting))
    own = {f"JUPYTER_{name}_DIR": str(place / name) for name in ["CONFIG", "DATA", "RUNTIME"]}
    env = os.environ | own | {"JUPYTERLAB_SETTINGS_DIR": str(place / "settings"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    with (place / "lab.log").open("w") as log:
        server = subprocess.Popen([*command, "--port=0"], cwd=place, env=env, stdout=log, stderr=log)
        try:
            yield address(place / "RUNTIME", server)
        finally:
            server.terminate()
            server.wait()


def address(folder, server):
    """Wait for the file in which a Jupyter server says where it listens."""
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        for file in folder.glob("jpserver-*.json"):
            told = json.loads(file.read_text())
            return f"{told['url']}lab/tree/notebooks/{{}}?token={told['token']}"
        time.sleep(0.2)
    raise TimeoutError("JupyterLab did not start")


@pytest.fixture(scope="module")
def page(lab):
    """05_infill, all of it run, and what the browser complained of."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: answer(page, dialog))
        run_all(page, lab, "05_infill.ipynb")
        page.wait_for_selector(".jupyter-widgets textarea")
        yield page
        browser.close()


def answer(page, dialog):
    """Leave an unsaved notebook when asked; any other dialog is one that should not be."""
    if dialog.type != "beforeunload":
        page.complaints.append(f"{dialog.type}: {dialog.message}")
    dialog.accept()


def run_all(page, lab, notebook):
    """Open a notebook in the tab, and give the order that Run All gives."""
    page.goto(lab.format(notebook))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    ours = f"window.jupyterapp.shell.currentWidget?.title?.label === '{notebook}'"
    idle = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    page.wait_for_function(f"{ours} && {idle}")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")


def shot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.locator(".jupyter-widgets textarea").scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / f"{name}.png")


def write(page, text):
    page.locator(".jupyter-widgets textarea").fill(text)
    page.locator(".jupyter-widgets textarea").blur()


def answers(page):
    """The table of the explorer, once all models have answered."""
    page.wait_for_function("!document.querySelector('.jupyter-widgets button.mod-primary').disabled")
    rows = page.locator(".widget-html-content table").first.locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in rows.all()]


def test_a_sentence_is_typed_a_blank_is_clicked_and_six_models_answer(page):
    write(page, "Yesterday I eat pasta with my friend.")
    page.get_by_role("button", name="pasta", exact=True).click()
    page.wait_for_function("document.querySelector('.jupyter-widgets textarea').value.includes('[pasta]')")
    page.get_by_role("button", name="Fill the blanks").click()
    page.get_by_text(re.compile(r"(\d+) of \1 models have answered")).wait_for()
    found = answers(page)
    shot(page, "fillings")
    assert {*SIX} <= {row[0] for row in found} and all("%" in row[2] for row in found)


def test_all_models_say_how_surprised_they_are_by_a_text_and_that_they_are_no_graders(page):
    page.get_by_role("button", name="Which level wrote this?").click()
    page.get_by_text("This is no grader", exact=False).first.wait_for()
    page.get_by_text("Least surprised", exact=False).first.wait_for()
    found = answers(page)
    shot(page, "whose")
    assert {*SIX} <= {row[0] for row in found} and all(float(row[-1].replace(",", "")) > 1 for row in found)


def test_what_a_learner_typed_does_nothing(page):
    write(page, f"I eat _ {HOSTILE}")
    page.get_by_role("button", name="onerror", exact=True).click()
    page.get_by_role("button", name="Fill the blanks").click()
    page.get_by_text(re.compile(r"(\d+) of \1 models have answered")).wait_for()
    answers(page)
    shot(page, "hostile")
    assert page.locator("img[src=x]").count() == 0 and page.locator(".jupyter-widgets mjx-container").count() == 0


def test_the_curve_of_a_training_is_redrawn_while_it_goes_on(page, lab):
    run_all(page, lab, "03_train.ipynb")
    training = page.locator(".jp-CodeCell", has_text="live.watching(run")
    training.locator(".jp-OutputArea-output img").wait_for()
    training.scroll_into_view_if_needed()
    page.screenshot(path=SHOTS / "training.png")


def test_the_browser_has_nothing_to_complain_of(page):
    assert page.complaints == []
