"""Makes the installed autobahntestsuite, which is Python 2, importable by Python 3. Run once, in its virtual environment.

A byte string of Python 2 becomes a str whose characters are the bytes (latin-1), so the sources are read as latin-1;
fuzz.py turns such strings into bytes where they meet the wire. What a case sends, expects and waits for stays as it is.
"""
import glob
import importlib.util
import os
import re
import sys

from fissix.refactor import RefactoringTool

FIXES = """dict except has_key import long map ne next numliterals print raise repr unicode xrange zip basestring
    filter"""

# (file, what stands there after the mechanical part, what it becomes). Each must be found, or nothing is written.
REPAIRS = [
    # Python 3 divides integers to a fraction.
    ("case/case10_1_1.py", "len(self.payload) / self.p", "len(self.payload) // self.p"),
    # A way to declare interfaces that is gone; the case is in no list.
    ("case/case9_9_1.py", "from zope.interface import implements\n", ""),
    ("case/case9_9_1.py", "   implements(interfaces.IPushProducer)\n", ""),
    # The validator takes bytes.
    ("case/case6_x_x.py", "v.validate(vss[:i])", "v.validate(vss[:i].encode('latin-1'))"),
]


def convert(tool, path):
    with open(path, encoding="latin-1", newline="") as source:
        text = source.read().replace("\r\n", "\n")
    # The file is written as UTF-8, whatever it said before.
    text = re.sub(r"^#.*coding[:=].*$", "#", text, count=1, flags=re.MULTILINE)
    text = str(tool.refactor_string(text.rstrip("\n") + "\n", path))
    # Every class of Python 3 has object behind it; in front of another base it contradicts itself.
    return text.replace("(object, Case, )", "(Case, )").replace("(object, Case)", "(Case)")


def main():
    root = os.path.dirname(importlib.util.find_spec("autobahntestsuite").origin)
    tool = RefactoringTool(["fissix.fixes.fix_" + name for name in FIXES.split()])
    names = ["_version.py", "fuzzing.py", "caseset.py", "report.py"]
    names += sorted(os.path.relpath(path, root) for path in glob.glob(root + "/case/*.py"))
    converted = {name: convert(tool, os.path.join(root, name)) for name in names}
    for name, old, new in REPAIRS:
        if converted[name].count(old) != 1:
            sys.exit(f"{name}: {old!r} is there {converted[name].count(old)} times, not once")
        converted[name] = converted[name].replace(old, new)
    # It would import the modes that are not used here.
    converted["__init__.py"] = "from ._version import __version__\n\nversion = __version__\n"
    for name, text in converted.items():
        with open(os.path.join(root, name), "w", encoding="utf-8") as out:
            out.write(text)


main()
