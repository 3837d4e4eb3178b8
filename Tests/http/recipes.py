"""The recipes of README.md and the handbook: the fenced blocks below `<!-- tried: NAME -->`, which the tests run as written."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HANDBOOK = ROOT / "Sources" / "quietcam" / "Handbook.docc"
PAGES = [ROOT / "README.md", *sorted(HANDBOOK.glob("*.md"))]
BLOCK = re.compile(r"^<!-- tried: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def all_recipes():
    found = [block for page in PAGES for block in BLOCK.findall(page.read_text())]
    names = [name for name, _ in found]
    assert len(set(names)) == len(names), f"a name is used twice: {names}"
    return dict(found)


def recipe(name, changes=()):
    """A recipe with what a reader has to change replaced; each of these texts must be in it."""
    text = all_recipes()[name]
    for old, new in dict(changes).items():
        assert old in text, f"{old} is not in the recipe {name}"
        text = text.replace(old, str(new))
    return text
