"""Every path that a command takes knows the home folder."""

from analysis import command
from experiments import generate


def test_every_path_knows_the_home_folder(tmp_path, monkeypatch, capsys):
  monkeypatch.setenv("HOME", str(tmp_path))
  assert generate.main(["--model=~/ngram"]) == 2
  assert f"{tmp_path}/ngram" in capsys.readouterr().err
  flags = ["--results=~", "--out=~/figures"]
  assert command.run("some", lambda results, out: [results, out], flags, "out", "it", "") == 0
  assert capsys.readouterr().out.splitlines() == [str(tmp_path), f"{tmp_path}/figures"]
