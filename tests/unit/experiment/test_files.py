"""Claims about files: the old one or the whole new one is there, never a part."""

import os
import subprocess
import sys

import pytest

from lib.experiment import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.atomic_write(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["table.csv"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    code = "import os\nfrom lib.experiment import files\n"
    code += f"with files.atomic_write({str(path)!r}) as t: t.write_text('half'); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert path.read_text() == "old"


def test_a_folder_without_its_last_file_is_not_finished(tmp_path):
    with pytest.raises(RuntimeError), files.atomic_folder(tmp_path / "m", last="train.json") as temporary:
        (temporary / "weights").write_text("w")
        raise RuntimeError
    assert not (tmp_path / "m" / "train.json").exists()
    with files.atomic_folder(tmp_path / "m", last="train.json") as temporary:
        for name in ["train.json", "weights"]:
            (temporary / name).write_text(name)
    assert sorted(os.listdir(tmp_path / "m")) == ["train.json", "weights"]
    with files.atomic_folder(tmp_path / "m", last="train.json") as temporary:
        (temporary / "train.json").write_text("without weights")
    assert os.listdir(tmp_path / "m") == ["train.json"], "nothing of the earlier result is left"


def test_the_l1_and_the_text_na_survive_a_table(tmp_path):
    import pandas as pd

    path = tmp_path / "t.csv"
    files.write_table(pd.DataFrame({"l1": ["NA", "", "null"], "ppl": [1.5, None, 2.0]}), path)
    back = files.read_csv(path)
    assert back["l1"].tolist()[::2] == ["NA", "null"] and back["ppl"].isna().tolist() == [False, True, False]


def test_a_folder_that_is_a_link_is_filled_where_it_leads(tmp_path):
    (tmp_path / "disk/m").mkdir(parents=True)
    (tmp_path / "m").symlink_to(tmp_path / "disk/m")
    with files.atomic_folder(tmp_path / "m", last="train.json") as temporary:
        assert temporary.parent == tmp_path / "disk"
        (temporary / "train.json").write_text("new")
    assert (tmp_path / "m").is_symlink() and (tmp_path / "disk/m/train.json").read_text() == "new"


def test_a_private_folder_is_for_its_user_alone(tmp_path):
    tmp_path.chmod(0o755)
    files.make_private(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
