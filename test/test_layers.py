# SPDX-License-Identifier: BSD-2-Clause
"""The rule of docs/architecture.md, which folder may include which: nothing runs upward or in a circle."""
import ast
import collections
import re
import unittest

from harness import ROOT

TABLE = ROOT / "docs/architecture.md"
PUBLIC = "lib/include/excamera"
PUBLIC_HEADERS = "public headers"

Folder = collections.namedtuple("Folder", "headers may_include")


def words(cell):
    return [word.strip() for word in cell.split(",") if word.strip()]


def read_table():
    """The rows of the table "may include", from the top floor down: {name: Folder}."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \|([^|]*)\|([^|]*)\|$", TABLE.read_text(), re.MULTILINE)
    return {name: Folder(words(headers), words(included)) for name, headers, included in rows}


def directory(folder):
    return ROOT / folder if folder in ("tools", "lambda") else ROOT / "lib" / folder


def sources():
    for folder in ("lib", "tools", "lambda"):
        yield from sorted(path for path in (ROOT / folder).rglob("*.[ch]") if path.is_file())


def includes(path):
    """The files of ours that a file includes."""
    for name in re.findall(r'^ *# *include "(.*)"', path.read_text(), re.MULTILINE):
        for place in (path.parent, ROOT / "lib", ROOT / "lib/include"):
            if (place / name).is_file():
                yield (place / name).resolve()
                break


def shown(path):
    return str(path.relative_to(ROOT))


class Layers(unittest.TestCase):
    def setUp(self):
        self.table = read_table()
        self.owners = {name: folder for folder, row in self.table.items() for name in row.headers}

    def folder(self, path):
        """The row that a file belongs to; a public header belongs to its owner's, if it has one."""
        parts = path.relative_to(ROOT).parts
        if shown(path.parent) == PUBLIC:
            return self.owners.get(path.stem)
        return parts[1] if parts[0] == "lib" else parts[0]

    def may_include(self, path, header):
        folder, other = self.folder(path), self.folder(header)
        if folder not in self.table or other in (None, folder):
            return True  # or it is for the next two tests to say
        allowed = self.table[folder].may_include
        return other in allowed or (PUBLIC_HEADERS in allowed and header.parent == ROOT / PUBLIC)

    def test_every_folder_has_a_row(self):
        folders = {path.name for path in (ROOT / "lib").iterdir() if path.is_dir()} - {"include"}
        self.assertEqual(set(self.table), folders | {"tools", "lambda"},
                         f"the table in {shown(TABLE)} is not up to date")

    def test_every_public_header_has_one_owner(self):
        headers = sorted(path.stem for path in (ROOT / PUBLIC).iterdir())
        owned = sorted(name for row in self.table.values() for name in row.headers)
        self.assertEqual(owned, headers, f"the table in {shown(TABLE)} is not up to date")

    def test_the_rule_itself_goes_down(self):
        floors = list(self.table)
        for number, (folder, row) in enumerate(self.table.items()):
            self.assertEqual(set(row.may_include) - set(floors[number + 1:]) - {PUBLIC_HEADERS}, set(), folder)

    def test_includes_keep_the_rule(self):
        broken = [f"{shown(path)} includes {shown(header)}"
                  for path in sources() for header in includes(path) if not self.may_include(path, header)]
        self.assertEqual(broken, [], f"see the table in {shown(TABLE)}")

    def test_no_include_runs_in_a_circle(self):
        """A source file and its header count as one."""
        graph = collections.defaultdict(set)
        for path in sources():
            graph[path.with_suffix("")].update(header.with_suffix("") for header in includes(path))
        done, under_way = set(), []

        def visit(unit):
            if unit in under_way:
                circle = [*under_way[under_way.index(unit):], unit]
                self.fail("a circle: " + " -> ".join(map(shown, circle)))
            if unit not in done:
                under_way.append(unit)
                for other in sorted(graph[unit] - {unit}):
                    visit(other)
                done.add(under_way.pop())

        for unit in sorted(graph):
            visit(unit)

    def test_only_vpx_and_vpxenc_know_libvpx(self):
        knowing = [shown(path) for path in sources()
                   if re.search(r"^ *# *include <vpx/", path.read_text(), re.MULTILINE)]
        self.assertEqual([path for path in knowing if not re.match(r"lib/vpx/|tools/(xc-)?vpxenc[._]", path)], [])


class Driver(unittest.TestCase):
    """The modules of xcdriver/."""

    package = ROOT / "xcdriver"
    modules = {path.stem: path for path in package.iterdir()
               if (path.suffix == ".py" or path.is_dir()) and not path.name.startswith("__")}

    def imported(self, module):
        """The modules that a module imports, a package being one."""
        path = self.modules[module]
        for source in path.glob("*.py") if path.is_dir() else [path]:
            for node in ast.walk(ast.parse(source.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module == "xcdriver":
                    yield from (name.name for name in node.names)
                elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xcdriver."):
                    yield node.module.split(".")[1]

    def test_no_circle(self):
        below = {module: set(self.imported(module)) & set(self.modules) - {module} for module in self.modules}
        while free := {module for module, others in below.items() if not others & set(below)}:
            below = {module: others for module, others in below.items() if module not in free}
        self.assertEqual(below, {}, "these import each other")

    def test_table(self):
        """It has each module once."""
        table = re.search(r"^## The driver\n.*?(?=^## )", TABLE.read_text(), re.MULTILINE | re.DOTALL)[0]
        cells = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)[1:]
        named = [word for cell in cells for word in re.split(r"[,;] ", re.sub(r", where .*", "", cell))]
        self.assertEqual(sorted(named), sorted(self.modules))
