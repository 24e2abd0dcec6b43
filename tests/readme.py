"""The Python code of the README, as it stands there."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def code_below(heading: str) -> list[str]:
    """Each block of Python in the section of that heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert section, heading
    return re.findall(r"```python\n(.*?)```", section[1], re.DOTALL)


def run(code: str, folder: Path, **paths: Path) -> dict[str, object]:
    """Run it on a folder of music, with the other paths in place of those that it names; what it leaves."""
    for there, here in ({"my_midis": folder} | paths).items():
        assert f'"{there}"' in code
        code = code.replace(f'"{there}"', f'"{here}"')
    names: dict[str, object] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102
    return names
