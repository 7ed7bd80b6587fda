"""Exit codes, help, completion, and which errors are one line."""

from __future__ import annotations

import sys
import warnings

import pytest

import skdistill
from skdistill import cli

COMMANDS = ("distill", "convert", "profile", "report", "inspect", "verify", "gate", "demo")


def test_help_names_every_command_and_the_exit_codes(run):
    code, out, _ = run("--help")
    assert code == 0
    for name in (*COMMANDS, "completion"):
        assert f"\n  {name} " in out
    assert "130 interrupted" in " ".join(out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(run, command):
    code, out, _ = run(command, "-h")
    assert code == 0
    assert out.startswith(f"Usage: skdistill {command} ")
    assert "--json" in out and "--quiet" in out
    assert max(map(len, out.splitlines())) <= 100


def test_version(run):
    assert run("--version") == (0, f"skdistill {skdistill.__version__}\n", "")


def test_without_a_command_there_is_help_on_stderr(run):
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "Usage: skdistill" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run, shell):
    code, out, _ = run("completion", shell)
    assert code == 0
    assert f"_SKDISTILL_COMPLETE={shell}_complete" in out


@pytest.mark.parametrize(
    ("words", "completed"),
    [("skdistill ver", "verify"), ("skdistill gate --device rv", "rv32imc")],
)
def test_completion_knows_commands_and_cores(capsys, monkeypatch, words, completed):
    monkeypatch.setenv("_SKDISTILL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        cli.main([])
    assert completed in capsys.readouterr().out


TABLE = ["distill", "t.csv", "--target", "y"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["distil"], "No such command 'distil'"),
        (["distill"], "Missing argument 'TABLE' (see skdistill distill --help)"),
        (["distill", "t.csv"], "Missing option '--target'"),
        ([*TABLE, "--budget", "4"], "'4' is no size such as 512B"),
        ([*TABLE, "--budget", "lots"], "'lots' is no size such as 512B"),
        ([*TABLE, "--device", "z80"], "'z80' is not one of"),
        ([*TABLE, "--family", "vine"], "'vine' is not one of"),
        ([*TABLE, "--task", "guess"], "'guess' is not one of"),
        ([*TABLE, "--test-size", "1"], "1.0 is not in the range"),
        ([*TABLE, "--test-size", "nan"], "'nan' is no finite number"),
        (["gate", "m.skd", "--max-rmse", "nan"], "'nan' is no finite number"),
        ([*TABLE, "--jobs", "0"], "must be 1 or more, or -1"),
        ([*TABLE, "--time", "2ms"], "a time at a clock, such as"),
        ([*TABLE, "--time", "1s@1MHz", "--device", "host"], "target='host' has no bounds of ram"),
        (["demo", "--seed", "-1"], "-1 is not in the range"),
        (["profile", "m.skd", "--device", "z80"], "'z80' is not one of"),
        (["gate", "m.skd", "--budget", "huge"], "'huge' is no size such as 512B"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_bad_usage_is_refused(refused, arguments, message):
    assert message in refused(*arguments)


MODEL_COMMANDS = {
    "profile": ["{model}"],
    "inspect": ["{model}"],
    "gate": ["{model}", "--budget", "4KB"],
    "verify": ["{model}", "{table}"],
    "report": ["{model}", "{table}", "--target", "kind"],
}


@pytest.mark.parametrize("command", MODEL_COMMANDS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.skd", "there is no file"),
        ("", "is a folder, not a model"),
        ("broken.skd", "broken.skd"),
    ],
)
def test_a_model_that_is_none_is_refused(refused, tables, broken, command, name, message):
    places = {"model": broken / name, "table": tables / "wine.csv"}
    arguments = [each.format(**places) for each in MODEL_COMMANDS[command]]
    assert message in refused(command, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["distill", "{tables}/wine.csv", "--quiet", "--target", "kind", "--out"],
        ["convert", "{models}/wine.skd", "--quiet", "--out"],
        ["demo", "--quiet", "--out"],
    ],
)
@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused(
    refused, tables, models, broken, arguments, place
):
    arguments = [each.format(tables=tables, models=models) for each in arguments]
    assert f"cannot write to {broken / place}: " in refused(*arguments, broken / place)


@pytest.mark.parametrize("module", ["click", "rich"])
def test_a_missing_library_of_the_command_line_is_named(refused, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert f"needs {module}: pip install 'skdistill[cli]'" in refused("demo")


@pytest.mark.parametrize(
    ("module", "extra", "command"),
    [
        ("onnx", "onnx", ["distill", "{table}", "--target", "kind"]),
        ("jinja2", "report", ["distill", "{table}", "--target", "kind"]),
        ("ziglang", "device", ["distill", "{table}", "--target", "kind", "--device", "avr"]),
        ("pandas", "cli", ["distill", "{table}", "--target", "kind"]),
        ("onnxruntime", "onnx", ["demo"]),
        ("xgboost", "boost", ["demo"]),
        ("jinja2", "report", ["report", "{model}", "{table}", "--target", "kind"]),
        ("unicorn", "device", ["profile", "{model}"]),
        ("onnx", "onnx", ["convert", "{model}"]),
    ],
)
def test_a_missing_extra_is_named(
    refused, monkeypatch, tmp_path, tables, models, module, extra, command
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    places = {"table": tables / "wine.csv", "model": models / "wine.skd"}
    arguments = [each.format(**places) for each in command]
    assert f"pip install 'skdistill[{extra}]'" in refused(*arguments)
    assert not list(tmp_path.iterdir())


def test_a_bug_keeps_its_traceback(models, monkeypatch):
    monkeypatch.setattr(skdistill.CompactModel, "summary", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["inspect", str(models / "wine.skd")])


@pytest.mark.filterwarnings("default::UserWarning")
def test_a_warning_is_one_line_once(run, models, monkeypatch):
    def warned(_):
        for text in ("first\nline", "first\nline", "second"):
            warnings.warn(text, UserWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(skdistill.CompactModel, "summary", warned)
    assert run("inspect", models / "wine.skd").err.startswith(
        "warning: first line\nwarning: second\n"
    )


@pytest.mark.parametrize("compiled", [False, True])
def test_an_interrupt_is_one_line_and_exit_code_130(run, models, monkeypatch, compiled):
    def interrupted(_):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            if compiled:  # what the call of a compiled function makes of it
                raise SystemError("returned a result with an exception set") from error
            raise

    monkeypatch.setattr(skdistill.CompactModel, "summary", interrupted)
    code, out, err = run("inspect", models / "wine.skd")
    assert (code, out, err.strip()) == (130, "", "skdistill: interrupted")


def test_a_disk_that_is_full_is_one_line(refused, models, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", str(tmp_path / "model.c"))

    monkeypatch.setattr("skdistill.export.c.api.write_whole", full)
    error = refused("convert", models / "wine.skd", "--out", tmp_path, "--quiet")
    assert error == f"skdistill: error: {tmp_path / 'model.c'}: No space left on device\n"
