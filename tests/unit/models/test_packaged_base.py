"""Claims about the packaged base model: converted once, refused in words where the package is missing."""

import pytest

from lib import errors
from lib.models import packaged_base


def test_a_base_that_is_there_is_not_converted_again(tmp_path, capsys):
    (tmp_path / "config.json").write_text("{}")
    packaged_base.convert(tmp_path)
    assert capsys.readouterr().out == f"{tmp_path} is there already.\n"
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]


def test_a_missing_package_is_named_with_the_way_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged_base, "PACKAGE", "no_such_package")
    with pytest.raises(errors.MissingResult, match="Not installed: no_such_package.*`make base`"):
        packaged_base.convert(tmp_path / "base")
    assert not (tmp_path / "base").exists()
