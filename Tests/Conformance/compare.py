"""compare.py EXPECTED RESULTS CASES...: whether the results are the expected ones; shows the difference.

Results that are expected must be right as well: OK or INFORMATIONAL, or NON-STRICT, where the RFC leaves it open, and the
connection closed cleanly. `--accept` in the place of CASES writes the results of a whole run to EXPECTED.
"""
import collections
import difflib
import re
import sys

GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")


def number(line):
    return [int(part) for part in line.split()[0].split(".")]


def main(expected_path, results_path, *patterns):
    with open(results_path, encoding="utf-8") as file:
        results = sorted({"\t".join(line.rstrip("\n").split("\t")[:3]) for line in file}, key=number)
    counts = collections.Counter(line.split("\t")[1] for line in results)
    print("%d cases: %s" % (len(results), ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))))
    bad = [line for line in results if line.split("\t")[1] not in GOOD or line.split("\t")[2] not in ("OK", "INFORMATIONAL")]
    for line in bad:
        print("wrong:", line)
    if patterns == ("--accept",):
        with open(expected_path, "w", encoding="utf-8") as out:
            out.writelines(line + "\n" for line in results)
        return 1 if bad else 0
    chosen = re.compile("|".join("(?:%s)" % re.escape(pattern).replace(r"\*", ".*") for pattern in patterns))
    with open(expected_path, encoding="utf-8") as file:
        expected = [line.rstrip("\n") for line in file if chosen.fullmatch(line.split("\t")[0])]
    difference = list(difflib.unified_diff(expected, results, "expected", "results", lineterm="", n=0))
    for line in difference:
        print(line)
    return 1 if bad or difference else 0


sys.exit(main(*sys.argv[1:]))
