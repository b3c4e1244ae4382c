"""Claims about learner ids: they leave as keyed hashes, by one key that is never shown."""

import threading

import pytest

from lib import errors
from lib.corpus import pseudonyms
from tests.helpers.made_up_learners import learners


def test_learner_ids_leave_as_keyed_hashes(tmp_path, monkeypatch):
    texts = learners(20)
    hashes = []
    for key in ["one", "two", "one"]:
        monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / key))
        hashes.append(pseudonyms.hash_learners(texts))
    assert hashes[0].equals(hashes[2]) and not hashes[0].equals(hashes[1])
    assert hashes[0].nunique() == 20 and not set(hashes[0]) & set(texts["learner_id"])
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0


def test_an_unknown_learner_is_never_hashed():
    texts = learners(4)[:4].assign(learner_id=["a", "b", "c", "d"])
    texts.loc[[1, 3], "learner_id"] = ""
    hashed = pseudonyms.hash_learners(texts)
    assert hashed[[1, 3]].tolist() == texts["text_id"][[1, 3]].astype(str).tolist()
    assert hashed[[0, 2]].str.fullmatch("[0-9a-f]{16}").all() and hashed.nunique() == 4


def test_runs_that_start_together_share_one_whole_key(tmp_path, monkeypatch):
    monkeypatch.setenv("ILM_CEFR_KEY", str(tmp_path / "folder/key"))
    keys, gate = [], threading.Barrier(8)

    def start():
        gate.wait()
        keys.append(pseudonyms._learner_key())

    threads = [threading.Thread(target=start) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(keys) == 8 and len(set(keys)) == 1 and len(keys[0]) == 64
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("content", "words"), [(b" \n", "is empty"), (b"letmein\xff", "is unusable"), (None, "is unusable")]
)
def test_a_useless_key_is_refused_and_not_shown(tmp_path, monkeypatch, content, words):
    path = tmp_path / "key"
    path.mkdir() if content is None else path.write_bytes(content)
    monkeypatch.setenv("ILM_CEFR_KEY", str(path))
    with pytest.raises(errors.CorpusError, match=words) as error:
        pseudonyms.hash_learners(learners(3))
    assert "letmein" not in str(error.value) and "ILM_CEFR_KEY" in str(error.value)
    assert error.value.__context__ is None or error.value.__suppress_context__  # a traceback shows no key either


def test_a_relative_key_counts_from_the_root_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(pseudonyms, "ROOT", tmp_path / "project")
    monkeypatch.setenv("ILM_CEFR_KEY", "../key")
    fingerprints = set()
    for folder in [tmp_path, tmp_path / "project/notebooks"]:
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        fingerprints.add(pseudonyms.key_fingerprint())
    assert len(fingerprints) == 1 and (tmp_path / "key").exists()


@pytest.mark.parametrize("name", ["key", "runs/key", "link/key", "{root}/key"])
def test_no_key_is_made_inside_the_repository(name, tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "runs").mkdir(parents=True)
    (root / "link").symlink_to(root / "runs")
    monkeypatch.setattr(pseudonyms, "ROOT", root)
    monkeypatch.setenv("ILM_CEFR_KEY", name.format(root=root))
    with pytest.raises(errors.CorpusError, match="is not made inside the repository"):
        pseudonyms.hash_learners(learners(3))
    assert not list(root.rglob("key"))
    (root / "runs/key").write_text("made by hand")
    monkeypatch.setenv("ILM_CEFR_KEY", "runs/key")
    assert pseudonyms.existing_key_fingerprint()
