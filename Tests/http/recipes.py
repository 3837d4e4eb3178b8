"""The recipes of README.md: the fenced blocks below a comment `<!-- tried: NAME -->`, which the tests run as written."""

import pathlib
import re

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"^<!-- tried: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def all_recipes():
    return dict(BLOCK.findall(README.read_text()))


def recipe(name, changes=()):
    """A recipe with what a reader has to change replaced; each of these texts must be in it."""
    text = all_recipes()[name]
    for old, new in dict(changes).items():
        assert old in text, f"{old} is not in the recipe {name}"
        text = text.replace(old, str(new))
    return text
