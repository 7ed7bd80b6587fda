"""The page on the command line: its commands run, and print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "command-line.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def words(text):
    """Without numbers and blanks; what helps may be another on another machine."""
    lines = [line for line in text.splitlines() if "labels score" not in line]
    text = re.sub(r"\d[\d,.]*", "0", "\n".join(lines))
    return re.sub(r"[─\s]+", " ", text).strip()


def test_every_example_prints_what_the_page_shows(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace, commands = {}, []
    for kind, block in BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "python":
            exec(compile(block, PAGE.name, "exec"), namespace)
            continue
        command, _, shown = block.removeprefix("$ skdistill ").partition("\n")
        commands.append(command.split()[0])
        code, out, err = run(*shlex.split(command))
        assert (code, err) == (0, "")
        assert words(out) == words(shown)
    assert set(commands) == {"distill", "convert", "inspect", "profile", "report", "verify", "gate"}
