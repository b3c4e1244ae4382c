"""What others can read already: the repository as last pushed, without outputs and without the demo's corpus."""

import io
import json
import subprocess
import tarfile

PUBLIC = ["README.md", "CITATION.cff", "notebooks", "lib", ":!lib/synthetic/demo_corpus.yaml"]


def published(paths, root="."):
    """Texts of the repository as last pushed: PUBLIC, of notebooks the cells' sources alone; none without a remote.

    A commit that no remote has is published nowhere, so what it alone shows does not count.

    None either where one of the paths belongs to the repository: a text that was committed would otherwise excuse
    itself.
    """
    tracked = subprocess.run(["git", "ls-files", "--", *map(str, paths)], cwd=root, capture_output=True, text=True)
    if tracked.stdout.strip():
        return []
    remotes = _git(root, "for-each-ref", "--format=%(objectname)", "refs/remotes").split()
    pushed = _git(root, "merge-base", "HEAD", *remotes).strip() if remotes else ""
    if not pushed:
        return []
    archive = subprocess.run(["git", "archive", pushed, *PUBLIC], cwd=root, capture_output=True)
    if archive.returncode:
        return []
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        members = [member for member in tar if member.isfile()]
        texts = {member.name: tar.extractfile(member).read().decode("utf-8", "replace") for member in members}
    notebooks = [json.loads(texts.pop(name))["cells"] for name in sorted(texts) if name.endswith(".ipynb")]
    return [*texts.values(), *("".join(cell["source"]) for cells in notebooks for cell in cells)]


def _git(root, *arguments):
    """What git prints, or nothing where it fails."""
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True).stdout
