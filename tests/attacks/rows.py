#!/usr/bin/python3
"""Every attack has its row in contrib/doc/attacks.md and its tests, and neither has what the other lacks."""

import pathlib
import re
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "contrib" / "doc" / "attacks.md"
# What there is: letter -> how many. An attack that is added is counted here.
ATTACKS = {"F": 15, "S": 6, "R": 10, "D": 19, "M": 9, "A": 7, "C": 2, "L": 5, "X": 5}


def rows():
    """(id, what is sent, what Sesame says, names of tests) for each row of the table."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and re.fullmatch(r"[A-Z]\d+", cells[0]):
            yield cells[0], cells[1], cells[2], re.findall(r"`([^`]+)`", cells[3])


def tests():
    """FILE.TEST -> id."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        for name, letter, number in re.findall(r"^    def (test_([a-z])(\d\d)_\w+)", path.read_text(), re.MULTILINE):
            found[f"{path.stem}.{name}"] = letter.upper() + str(int(number))
    return found


class Rows(unittest.TestCase):
    def test_every_attack_has_one_row(self):
        wanted = [f"{letter}{number}" for letter, count in ATTACKS.items() for number in range(1, count + 1)]
        self.assertEqual([row[0] for row in rows()], wanted)

    def test_every_row_is_told_and_tested(self):
        known = tests()
        for identifier, sent, said, names in rows():
            self.assertTrue(sent and said and names, identifier)
            for name in names:
                self.assertEqual(known.get(name), identifier, name)

    def test_every_test_is_in_its_row(self):
        listed = {name for row in rows() for name in row[3]}
        self.assertEqual(sorted(set(tests()) - listed), [])

    def test_no_test_hides_behind_another(self):
        for path in HERE.glob("*.py"):
            names = re.findall(r"^    def (test_\w+)", path.read_text(), re.MULTILINE)
            self.assertEqual(len(names), len(set(names)), path.name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
