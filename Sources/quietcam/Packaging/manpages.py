#!/usr/bin/env python3
"""Writes the manual pages of quietcam and its commands from the program's own description of itself.

    manpages.py PROGRAM FOLDER

The description is what ArgumentParser prints for `--experimental-dump-help`, so pages and `--help` agree.
"""

import json
import pathlib
import re
import subprocess
import sys


def escaped(text):
    """Text that troff takes for nothing else."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^([.])", r"\\&\1", text, flags=re.MULTILINE)


def paragraphs(text):
    """Paragraphs; what is indented stays as it is."""
    out = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if all(line.startswith("  ") for line in block.splitlines()):
            out += [".PP", ".nf", ".RS 4", escaped(block), ".RE", ".fi"]
        else:
            out += [".PP", escaped(block)]
    return out


def spelled(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def usage(argument):
    """An argument as it is written in a synopsis."""
    value = escaped(argument.get("valueName", "value"))
    if argument["kind"] == "positional":
        text = f"\\fI{value}\\fR"
    else:
        text = f"\\fB{escaped(spelled(argument['preferredName']))}\\fR"
        if argument["kind"] == "option":
            text += f" \\fI{value}\\fR"
    if argument["isRepeating"]:
        text += " ..."
    return f"[{text}]" if argument["isOptional"] else text


def options(arguments):
    out, section = [], None
    for argument in arguments:
        if argument.get("sectionTitle") != section:
            section = argument.get("sectionTitle")
            if section:
                out += [f".SS {escaped(section)}"]
        value = f" \\fI{escaped(argument.get('valueName', 'value'))}\\fR"
        if argument["kind"] == "positional":
            head = value.strip()
        else:
            names = [f"\\fB{escaped(spelled(name))}\\fR" for name in argument["names"]]
            head = ", ".join(names) + (value if argument["kind"] == "option" else "")
        text = " ".join(filter(None, [argument.get("abstract", ""), argument.get("discussion", "")]))
        default = argument.get("defaultValue")
        if default and "(default:" not in text:
            text += f" (default: {default})"
        out += [".TP", head, escaped(text.strip()) or "\\&"]
    return out


def shown(command):
    return [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]


def children(command):
    return [child for child in command.get("subcommands", []) if child["shouldDisplay"] and child["commandName"] != "help"]


def synopsis(command, words):
    arguments = [argument for argument in shown(command) if argument.get("valueName") not in ("help", "version")]
    # A page with a setting for each line would have a synopsis of its own length.
    kept = [argument for argument in arguments if not argument["isOptional"] or len(arguments) <= 12]
    rest = [] if len(kept) == len(arguments) else ["[\\fIoptions\\fR]"]
    if len(words) == 1:
        rest = ["\\fIcommand\\fR"]
    return [".PP", " ".join([f"\\fB{escaped(' '.join(words))}\\fR", *map(usage, kept), *rest])]


def page(command, words, version, siblings):
    name = "-".join(words)
    out = [
        f'.TH "{escaped(name.upper())}" "1" "" "Quietcam {escaped(version)}" "User Commands"',
        ".SH NAME", f"{escaped(name)} \\- {escaped(command.get('abstract', '').rstrip('.'))}",
        ".SH SYNOPSIS", ".nh", *synopsis(command, words),
    ]
    nested = children(command) if len(words) > 1 else []
    for child in nested:
        out += synopsis(child, [*words, child["commandName"]])
    out += [".hy"]
    if command.get("discussion"):
        out += [".SH DESCRIPTION", *paragraphs(command["discussion"])]
    if len(words) == 1:
        out += [".SH COMMANDS"]
        for child in children(command):
            out += [".TP", f"\\fB{escaped('-'.join([*words, child['commandName']]))}\\fR(1)", escaped(child["abstract"])]
    if shown(command):
        out += [".SH OPTIONS", *options(shown(command))]
    for child in nested:
        out += [f'.SH "{escaped(child["commandName"].upper())}"', ".PP", escaped(child.get("abstract", ""))]
        out += paragraphs(child["discussion"]) if child.get("discussion") else []
        out += options([argument for argument in shown(child) if argument.get("valueName") not in ("help", "version")])
    if words[1:] in ([], ["serve"]):
        out += [
            ".SH FILES", ".TP", "\\fI/etc/quietcam/quietcam.yaml\\fR", "The settings of the service.",
            ".TP", "\\fI/var/lib/quietcam\\fR", "What the service keeps.",
            ".TP", "\\fI/usr/share/doc/quietcam/handbook\\fR", "The handbook.",
        ]
    others = [f"\\fB{escaped(other)}\\fR(1)" for other in siblings if other != name]
    out += [".SH SEE ALSO", ".PP", ", ".join(others)]
    return name, "\n".join(out) + "\n"


def main(program, folder):
    def said(*words):
        return subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout

    command, version = json.loads(said("--experimental-dump-help"))["command"], said("--version").strip()
    name = command["commandName"]
    commands = [(command, [name]), *((child, [name, child["commandName"]]) for child in children(command))]
    siblings = ["-".join(words) for _, words in commands]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for described, words in commands:
        file, text = page(described, words, version, siblings)
        (folder / f"{file}.1").write_text(text)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: manpages.py PROGRAM FOLDER")
    main(*sys.argv[1:])
