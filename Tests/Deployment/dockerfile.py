"""Reads a Dockerfile: its stages, their instructions, and which files of a folder are the build's context.

As much of the language as docker/Dockerfile uses; anything else is an error, so that nothing is passed over.
"""

import json
import os
import re
import shlex
from dataclasses import dataclass, field

KNOWN = "ARG FROM SHELL WORKDIR COPY RUN LABEL USER VOLUME ENV EXPOSE HEALTHCHECK STOPSIGNAL ENTRYPOINT CMD".split()


class DockerfileError(Exception):
    pass


@dataclass
class Stage:
    image: str
    name: str
    instructions: list = field(default_factory=list)


def parse(path):
    """The stages of the file, and the arguments that stand before the first one."""
    stages, arguments = [], {}
    for keyword, rest in instructions(open(path).read()):
        if keyword not in KNOWN:
            raise DockerfileError(f"{path}: {keyword} is not known here")
        if keyword == "FROM":
            words = substitute(rest, arguments).split()
            stages.append(Stage(words[0], words[2] if len(words) == 3 else ""))
        elif not stages:
            if keyword != "ARG":
                raise DockerfileError(f"{path}: {keyword} before FROM")
            arguments.update(assignments(rest))
        else:
            stages[-1].instructions.append((keyword, rest))
    return stages


def instructions(text):
    """(KEYWORD, rest), with continued lines joined and comments left out."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("#")]
    for joined in re.sub(r"\\\n", " ", "\n".join(lines)).split("\n"):
        if joined.strip():
            keyword, _, rest = joined.strip().partition(" ")
            yield keyword.upper(), rest.strip()


def substitute(text, values):
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda match: values.get(match[1] or match[2], ""), text)


def assignments(rest):
    """`A=1 B="two"`, and `A` alone."""
    return {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(rest)}


def words(rest):
    """The exec form, `["a", "b"]`. The shell form is not for images without a shell."""
    try:
        return json.loads(rest)
    except ValueError:
        raise DockerfileError(f"not in the exec form: {rest}") from None


def copy_arguments(rest):
    """({"from": …, "chown": …}, sources, target)"""
    options, paths = {}, []
    for word in shlex.split(rest):
        if word.startswith("--"):
            options[word[2:].partition("=")[0]] = word.partition("=")[2]
        else:
            paths.append(word)
    return options, paths[:-1], paths[-1]


def context(folder):
    """The paths of the files that .dockerignore leaves, relative to the folder. The last pattern that matches decides."""
    patterns = []
    for line in open(os.path.join(folder, ".dockerignore")):
        line = line.strip()
        if line and not line.startswith("#"):
            patterns.append((not line.startswith("!"), pattern(line.lstrip("!").strip("/"))))
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", ".build")]
        for name in files:
            path = os.path.relpath(os.path.join(parent, name), folder)
            verdicts = [ignores for ignores, expression in patterns if expression.fullmatch(path)]
            if not verdicts or not verdicts[-1]:
                yield path


def pattern(text):
    """A pattern of .dockerignore, which stands for everything below what it matches."""
    expression = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", text):
        expression += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(expression + "(?:/.*)?")
