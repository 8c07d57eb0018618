"""The house keeps its shape: what may be imported by whom, how fast it opens, how long a file is."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pomona

PACKAGE = Path(pomona.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
PACKAGES = sorted({path.parent for path in PACKAGE.rglob("__init__.py")})


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def in_fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_file_is_one_idea(path):
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")
    tree = ast.parse(path.read_text())
    if path.read_text().strip():
        assert ast.get_docstring(tree), "the first line of a file says what it is"


FLOORS = [path for path in PACKAGES if path.parent == PACKAGE]


@pytest.mark.parametrize("path", FLOORS, ids=lambda path: path.name)
def test_floors_are_lazy(path):
    """The __init__ of a floor imports nothing of ours but the means to be lazy, and no library of numbers.

    Deeper packages may hold the table of their family.
    """
    tree = ast.parse((path / "__init__.py").read_text())
    modules = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    assert {name for name in modules if name.startswith("pomona")} <= {"pomona.foundation.lazy"}
    heavy = {"torch", "numpy", "scipy", "sklearn", "pyarrow", "optuna", "matplotlib", "pandas", "onnx"}
    assert not heavy & {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.name)
def test_every_public_name_exists(path):
    package = importlib.import_module(module_name(path / "__init__.py"))
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None
        assert name in dir(package)


def torch_free_modules() -> list[str]:
    folders = [PACKAGE / name for name in ("foundation", "tasks", "perceive")]
    settings = [path for path in FILES if path.stem == "settings"]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))] + settings
    return [module_name(path) for path in files]


def test_foundation_tasks_perceive_and_settings_never_import_torch():
    names = torch_free_modules()
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "print('torch' in sys.modules)"
    )
    assert in_fresh_process(code) == "False"


def test_import_pomona_is_light():
    code = "import sys, pomona; print(sorted({m.partition('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    heavy = ["torch", "numpy", "scipy", "sklearn", "pyarrow", "optuna", "matplotlib", "pydantic", "cyclopts"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_page_imports_no_library_of_numbers():
    code = (
        "import sys\nfrom pomona.cli.main import exit_code\n"
        "try:\n    exit_code(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'numpy', 'pyarrow', 'sklearn'} & set(sys.modules)))"
    )
    assert in_fresh_process(code).splitlines()[-1] == "[]"


def test_nothing_names_a_package_host_or_a_folder_of_one_machine():
    hosts = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian|/root/|/home/\w|/work/")
    root = PACKAGE.parent
    places = [
        *FILES,
        *root.glob("*.md"),
        *root.glob("*.toml"),
        *root.glob("*.txt"),
        *(root / "docs").rglob("*.md"),
    ]
    found = [str(p) for p in places if p.exists() and hosts.search(p.read_text(encoding="utf-8"))]
    assert not found


def test_the_readme_table_is_made_from_systems_toml():
    systems = tomllib.loads((PACKAGE / "systems.toml").read_text())["system"]
    readme = PACKAGE.parent / "README.md"
    if not readme.exists():
        pytest.skip("Pomona is installed without its repository")
    text = readme.read_text()
    for system in systems:
        row = f"| {system['name']} | `pomona {system['command']}` | {system['status']} | {system['figure']} |"
        assert row in text, f"README.md lacks the row: {row}"
    assert text.count("| planned |") + text.count("| works |") == len(systems)


def test_every_system_that_works_is_a_verb():
    from pomona.cli.verbs import VERBS

    for system in tomllib.loads((PACKAGE / "systems.toml").read_text())["system"]:
        if system["status"] == "works":
            assert {command.split()[0] for command in system["command"].split(", ")} <= VERBS.keys()
            assert system["figure"], "a system that works shows its own measurement"
