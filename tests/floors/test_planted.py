#!/usr/bin/env python3
"""check_floors.py must find every include that is planted here, at its line, and say nothing of a clean tree."""

import pathlib
import tempfile
import unittest

import check_floors

# One include that each room may have, of every kind that is allowed somewhere.
CLEAN = {
    "core/base/error.h": "#pragma once\n#include <string>\n#include <sys/eventfd.h>\n",
    "core/protocol/event.h": '#pragma once\n#include "core/base/error.h"\n',
    "core/ledger/ledger.h": '#include "core/protocol/event.h"\n#include "core/base/error.h"\n',
    "core/source/connector.cc": '#include <linux/netlink.h>\n#include "core/protocol/event.h"\n',
    "core/source/connector.h": '// like "../ledger/ledger.h"\n/*\n#include "cmd/main.h"\n*/\n',
    "core/reader/reader.cc": '#include "core/ledger/ledger.h"\n#include "core/source/connector.h"\n',
    "exporter/server.h": '#include <unistd.h>\n#include "core/reader/reader.h"\n',
    "exporter/server.cc": "#include <civetweb.h>\n#include <prometheus/metric_family.h>\n#include <zlib.h>\n",
    "core/lookup/process_table.h": '#include "core/source/connector.h"\n',
    "core/procevent.h": '#include "core/lookup/process_table.h"\n#include "core/protocol/event.h"\n',
    "core/reader/reader.h": 'auto text = R"(\n#include "cmd/main.h"\n)";\n',
    "config/config.cc": '#include <yaml-cpp/yaml.h>\n#include "exporter/server.h"\n#include "core/base/error.h"\n',
    "config/config.h": "#pragma once\n",
    "cmd/main.cc": '#include <CLI/CLI.hpp>\n#include <spdlog/spdlog.h>\n#include "config/config.h"\n#include "cmd/main.h"\n',
    "cmd/main.h": "#pragma once\n",
    "tests/core/ledger/ledger_test.cc": '#include <gtest/gtest.h>\n#include "cmd/main.h"\n#include "../x.h"\n',
}

# name: (file, text, line of the fault)
PLANTED = {
    "up a floor": ("core/reader/reader.h", '#include "exporter/server.h"\n', 1),
    "up two floors": ("core/base/error.h", '#pragma once\n\n#include "cmd/main.h"\n', 3),
    "exporter to config": ("exporter/server.cc", '#include "config/config.h"\n', 1),
    "config to cmd": ("config/config.cc", '#include "cmd/main.h"\n', 1),
    "up in core": ("core/protocol/event.h", '#include "core/ledger/ledger.h"\n', 1),
    "base to protocol": ("core/base/error.h", '#include "core/protocol/event.h"\n', 1),
    "ledger to reader": ("core/ledger/ledger.h", '#include "core/reader/reader.h"\n', 1),
    "sideways, ledger to source": ("core/ledger/ledger.h", '#include "core/source/connector.h"\n', 1),
    "lookup to ledger": ("core/lookup/process_table.h", '#include "core/ledger/ledger.h"\n', 1),
    "all of the library in core": ("core/reader/reader.h", '#include "core/procevent.h"\n', 1),
    "more than the library": ("core/procevent.h", '#include "core/reader/reader.h"\n', 1),
    "sideways, source to ledger": ("core/source/connector.cc", '#include "core/ledger/ledger.h"\n', 1),
    "relative": ("core/reader/reader.cc", '#include "../ledger/ledger.h"\n', 1),
    "up and down again": ("core/reader/reader.cc", '#include "core/../exporter/server.h"\n', 1),
    "same folder, bare name": ("core/ledger/ledger.cc", '#include "ledger.h"\n', 1),
    "our header in angles": ("core/base/error.h", "#include <exporter/server.h>\n", 1),
    "our header in angles, allowed room": ("cmd/main.cc", "#include <config/config.h>\n", 1),
    "absolute": ("cmd/main.cc", '#include "/usr/include/zlib.h"\n', 1),
    "inside #if": ("core/base/error.h", '#if 0\n#include "cmd/main.h"\n#endif\n', 2),
    "spaces": ("core/base/error.h", '  #  include   "cmd/main.h"\n', 1),
    "no space": ("core/base/error.h", '#include"cmd/main.h"\n', 1),
    "after a comment": ("core/base/error.h", '/* why */ #include "cmd/main.h"\n', 1),
    "comment in between": ("core/base/error.h", '# /* why */ include /* not */ "cmd/main.h"\n', 1),
    "continued line": ("core/base/error.h", '// first\n#inc\\\nlude "cmd/main.h"\n', 2),
    "after a comment of lines": ("core/base/error.h", '/* one\ntwo */\n#include "cmd/main.h"\n', 3),
    "digraph": ("core/base/error.h", '%:include "cmd/main.h"\n', 1),
    "computed": ("core/base/error.h", '#define UP "cmd/main.h"\n#include UP\n', 2),
    "product to tests": ("core/base/error.h", '#include "tests/helper.h"\n', 1),
    "product to tests, in angles": ("cmd/main.cc", "#include <tests/helper.h>\n", 1),
    "a file that is not there": ("cmd/main.cc", '#include "config/none.h"\n', 1),
    "yaml-cpp in exporter": ("exporter/server.cc", "#include <yaml-cpp/yaml.h>\n", 1),
    "yaml-cpp in cmd": ("cmd/main.cc", '#include "yaml-cpp/yaml.h"\n', 1),
    "prometheus in core": ("core/reader/reader.cc", "#include <prometheus/collectable.h>\n", 1),
    "prometheus in config": ("config/config.cc", "#include <prometheus/registry.h>\n", 1),
    "civetweb in cmd": ("cmd/main.cc", "#include <civetweb.h>\n", 1),
    "zlib in core": ("core/source/connector.cc", "#include <zlib.h>\n", 1),
    "CLI11 in config": ("config/config.cc", "#include <CLI/CLI.hpp>\n", 1),
    "spdlog in core": ("core/reader/reader.cc", "#include <spdlog/spdlog.h>\n", 1),
    "gtest in the product": ("core/base/error.h", "#include <gtest/gtest.h>\n", 1),
    "unknown third party": ("cmd/main.cc", "#include <boost/asio.hpp>\n", 1),
    "a room that is none": ("core/attic/old.h", "#pragma once\n", 1),
    "a file beside the rooms": ("core/all.h", "#pragma once\n", 1),
    "a source by another name": ("core/base/error.hpp", "#pragma once\n", 1),
}


def build(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class PlantedTest(unittest.TestCase):
    def faults(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            build(root, files)
            return check_floors.check(root)[0]

    def test_clean_tree_passes(self):
        self.assertEqual(self.faults(CLEAN), [])

    def test_every_planted_fault_is_found_alone_and_at_its_line(self):
        for name, (path, text, line) in PLANTED.items():
            with self.subTest(name):
                faults = self.faults({**CLEAN, path: text})
                self.assertEqual(len(faults), 1, faults)
                self.assertTrue(faults[0].startswith(f"{path}:{line}: "), faults[0])

    def test_every_room_is_held_to_its_rules(self):
        """Each ordered pair of rooms, against the order written down a second time: rank by rank."""
        rank = {"core/base": 0, "core/protocol": 1, "core/ledger": 2, "core/source": 2, "core/reader": 3}
        rank.update({"exporter": 4, "config": 5, "cmd": 6})
        headers = {room: f"{room}/some.h" for room in rank}
        for room in rank:
            for other in rank:
                with self.subTest(f"{room} includes {other}"):
                    tree = {header: "" for header in headers.values()}
                    tree[f"{room}/user.cc"] = f'#include "{headers[other]}"\n'
                    allowed = room == other or rank[other] < rank[room]
                    self.assertEqual(not self.faults(tree), allowed)

    def test_an_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(check_floors.check(pathlib.Path(folder))[1], 0)


if __name__ == "__main__":
    unittest.main()
