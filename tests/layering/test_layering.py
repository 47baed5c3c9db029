#!/usr/bin/env python3
"""check_layering.py must find every include that is planted here, at its line, and report nothing for a clean tree."""

import pathlib
import tempfile
import unittest

import check_layering

# One include of every kind that is allowed, in a module that may have it.
CLEAN = {
    "core/base/result.h": "#pragma once\n#include <string>\n#include <sys/eventfd.h>\n",
    "core/protocol/event.h": '#pragma once\n#include "core/base/result.h"\n',
    "core/tracker/table.h": '#include "core/protocol/event.h"\n#include "core/base/result.h"\n',
    "core/statistics/group_name.cc": "#include <re2/re2.h>\n",
    "core/statistics/statistics.h": '#include "core/tracker/table.h"\n',
    "core/sources/connector/socket.cc": '#include <linux/netlink.h>\n#include "core/protocol/event.h"\n',
    "core/sources/connector/socket.h": '// like "../tracker/table.h"\n/*\n#include "cmd/main.h"\n*/\n',
    "core/sources/procfs/reader.h": '#include "core/base/result.h"\n',
    "core/sources/capture/file.cc": "#include <pcap/pcap.h>\n",
    "core/reader/reader.cc": '#include "core/statistics/statistics.h"\n#include "core/sources/connector/socket.h"\n',
    "exporter/http/server.h": '#include <unistd.h>\n#include "core/reader/reader.h"\n#include "exporter/metrics/family.h"\n',
    "exporter/http/server.cc": "#include <civetweb.h>\n#include <zlib.h>\n",
    "exporter/metrics/family.h": "#include <prometheus/metric_family.h>\n",
    "core/lookup/process_table.h": '#include "core/sources/connector/socket.h"\n',
    "core/procevent.h": '#include "core/lookup/process_table.h"\n#include "core/protocol/event.h"\n',
    "core/reader/reader.h": 'auto text = R"(\n#include "cmd/main.h"\n)";\n',
    "config/yaml/node.cc": '#include <yaml-cpp/yaml.h>\n#include "core/base/result.h"\n',
    "config/schema/keys.h": '#include "config/yaml/node.h"\n#include "exporter/http/server.h"\n',
    "config/yaml/node.h": "#pragma once\n",
    "config/load.h": '#include "config/schema/keys.h"\n',
    "cmd/cli/flags.cc": '#include "config/load.h"\n',
    "cmd/logging/log.cc": "#include <spdlog/spdlog.h>\n",
    "cmd/capture/json.cc": "#include <nlohmann/json.hpp>\n",
    "cmd/main.cc": '#include "config/load.h"\n#include "cmd/main.h"\n',
    "cmd/main.h": "#pragma once\n",
    "tests/core/tracker/table_test.cc": '#include <gtest/gtest.h>\n#include "cmd/main.h"\n#include "../x.h"\n',
}

# name: (file, text, line of the fault)
PLANTED = {
    "core to exporter": ("core/reader/reader.h", '#include "exporter/http/server.h"\n', 1),
    "base to cmd": ("core/base/result.h", '#pragma once\n\n#include "cmd/main.h"\n', 3),
    "exporter to config": ("exporter/http/server.cc", '#include "config/load.h"\n', 1),
    "config to cmd": ("config/load.h", '#include "cmd/main.h"\n', 1),
    "protocol to tracker": ("core/protocol/event.h", '#include "core/tracker/table.h"\n', 1),
    "base to protocol": ("core/base/result.h", '#include "core/protocol/event.h"\n', 1),
    "tracker to reader": ("core/tracker/table.h", '#include "core/reader/reader.h"\n', 1),
    "tracker to statistics": ("core/tracker/table.h", '#include "core/statistics/statistics.h"\n', 1),
    "tracker to sources": ("core/tracker/table.h", '#include "core/sources/connector/socket.h"\n', 1),
    "statistics to reader": ("core/statistics/statistics.h", '#include "core/reader/reader.h"\n', 1),
    "statistics to sources": ("core/statistics/statistics.h", '#include "core/sources/connector/socket.h"\n', 1),
    "lookup to statistics": ("core/lookup/process_table.h", '#include "core/statistics/statistics.h"\n', 1),
    "connector to procfs": ("core/sources/connector/socket.h", '#include "core/sources/procfs/reader.h"\n', 1),
    "procfs to connector": ("core/sources/procfs/reader.h", '#include "core/sources/connector/socket.h"\n', 1),
    "sources to tracker": ("core/sources/connector/socket.cc", '#include "core/tracker/table.h"\n', 1),
    "the public header in core": ("core/reader/reader.h", '#include "core/procevent.h"\n', 1),
    "more than the public modules": ("core/procevent.h", '#include "core/reader/reader.h"\n', 1),
    "metrics to http": ("exporter/metrics/family.h", '#include "exporter/http/server.h"\n', 1),
    "yaml to schema": ("config/yaml/node.h", '#include "config/schema/keys.h"\n', 1),
    "schema to load": ("config/schema/keys.h", '#include "config/load.h"\n', 1),
    "logging to cli": ("cmd/logging/log.cc", '#include "cmd/cli/flags.h"\n', 1),
    "cli to main": ("cmd/cli/flags.cc", '#include "cmd/main.h"\n', 1),
    "relative": ("core/reader/reader.cc", '#include "../tracker/table.h"\n', 1),
    "up and down again": ("core/reader/reader.cc", '#include "core/../exporter/http/server.h"\n', 1),
    "same folder, bare name": ("core/tracker/table.cc", '#include "table.h"\n', 1),
    "own header in angles": ("core/base/result.h", "#include <exporter/http/server.h>\n", 1),
    "own header in angles, allowed module": ("cmd/main.cc", "#include <config/load.h>\n", 1),
    "absolute": ("cmd/main.cc", '#include "/usr/include/zlib.h"\n', 1),
    "inside #if": ("core/base/result.h", '#if 0\n#include "cmd/main.h"\n#endif\n', 2),
    "spaces": ("core/base/result.h", '  #  include   "cmd/main.h"\n', 1),
    "no space": ("core/base/result.h", '#include"cmd/main.h"\n', 1),
    "after a comment": ("core/base/result.h", '/* why */ #include "cmd/main.h"\n', 1),
    "comment in between": ("core/base/result.h", '# /* why */ include /* not */ "cmd/main.h"\n', 1),
    "continued line": ("core/base/result.h", '// first\n#inc\\\nlude "cmd/main.h"\n', 2),
    "after a comment of lines": ("core/base/result.h", '/* one\ntwo */\n#include "cmd/main.h"\n', 3),
    "digraph": ("core/base/result.h", '%:include "cmd/main.h"\n', 1),
    "computed": ("core/base/result.h", '#define UP "cmd/main.h"\n#include UP\n', 2),
    "product to tests": ("core/base/result.h", '#include "tests/helper.h"\n', 1),
    "product to tests, in angles": ("cmd/main.cc", "#include <tests/helper.h>\n", 1),
    "a file that does not exist": ("cmd/main.cc", '#include "config/none.h"\n', 1),
    "yaml-cpp in exporter": ("exporter/http/server.cc", "#include <yaml-cpp/yaml.h>\n", 1),
    "yaml-cpp in config/schema": ("config/schema/keys.h", "#include <yaml-cpp/yaml.h>\n", 1),
    "yaml-cpp in cmd": ("cmd/main.cc", '#include "yaml-cpp/yaml.h"\n', 1),
    "prometheus in core": ("core/reader/reader.cc", "#include <prometheus/collectable.h>\n", 1),
    "prometheus in exporter/http": ("exporter/http/server.cc", "#include <prometheus/registry.h>\n", 1),
    "civetweb in cmd": ("cmd/main.cc", "#include <civetweb.h>\n", 1),
    "civetweb in exporter/metrics": ("exporter/metrics/family.h", "#include <civetweb.h>\n", 1),
    "zlib in core": ("core/sources/connector/socket.cc", "#include <zlib.h>\n", 1),
    "libpcap in the connector": ("core/sources/connector/socket.cc", "#include <pcap/pcap.h>\n", 1),
    "RE2 in the reader": ("core/reader/reader.cc", "#include <re2/re2.h>\n", 1),
    "spdlog in core": ("core/reader/reader.cc", "#include <spdlog/spdlog.h>\n", 1),
    "nlohmann in cmd": ("cmd/main.cc", "#include <nlohmann/json.hpp>\n", 1),
    "gtest in the product": ("core/base/result.h", "#include <gtest/gtest.h>\n", 1),
    "unknown third party": ("cmd/main.cc", "#include <boost/asio.hpp>\n", 1),
    "unknown module": ("core/attic/old.h", "#pragma once\n", 1),
    "a file beside the modules": ("core/all.h", "#pragma once\n", 1),
    "a source with another suffix": ("core/base/result.hpp", "#pragma once\n", 1),
}

# The modules that each module may include, besides itself. Repeats check_layering.MAY_INCLUDE without its shared sets, so
# that a wrong edge there is found.
ALLOWED = {
    "core/base": set(),
    "core/protocol": {"core/base"},
    "core/tracker": {"core/base", "core/protocol"},
    "core/statistics": {"core/base", "core/protocol", "core/tracker"},
    "core/sources": {"core/base", "core/protocol"},
    "core/sources/connector": {"core/base", "core/protocol", "core/sources"},
    "core/sources/procfs": {"core/base", "core/protocol", "core/sources"},
    "core/sources/capture": {"core/base", "core/protocol", "core/sources"},
    "core/lookup": {
        "core/base", "core/protocol", "core/sources", "core/tracker", "core/sources/connector",
        "core/sources/procfs",
    },
    "core/reader": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources",
        "core/sources/connector", "core/sources/procfs", "core/sources/capture",
    },
    "core/procevent.h": {"core/base", "core/protocol", "core/sources/connector", "core/lookup"},
    "exporter/metrics": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources", "core/sources/procfs",
        "core/lookup", "core/reader",
    },
    "exporter/http": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources", "core/lookup",
        "core/reader", "exporter/metrics",
    },
    "config/yaml": {"core/base"},
    "config/schema": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources",
        "core/sources/connector", "core/lookup", "core/reader", "exporter/metrics", "exporter/http",
        "config/yaml",
    },
    "config": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources", "core/lookup",
        "core/reader", "exporter/metrics", "exporter/http", "config/yaml", "config/schema",
    },
    "cmd/cli": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources", "core/lookup",
        "core/reader", "exporter/metrics", "exporter/http", "config/yaml", "config/schema", "config",
    },
    "cmd/logging": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources", "core/lookup",
        "core/reader", "exporter/metrics", "exporter/http", "config/yaml", "config/schema", "config",
    },
    "cmd/serve": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources",
        "core/sources/connector", "core/sources/procfs", "core/lookup", "core/reader", "exporter/metrics",
        "exporter/http", "config/yaml", "config/schema", "config", "cmd/cli", "cmd/logging",
    },
    "cmd/capture": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources",
        "core/sources/connector", "core/sources/procfs", "core/sources/capture", "core/lookup", "core/reader",
        "exporter/metrics", "exporter/http", "config/yaml", "config/schema", "config", "cmd/cli", "cmd/logging",
        "cmd/serve",
    },
    "cmd/watch": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources",
        "core/sources/connector", "core/sources/capture", "core/lookup", "core/reader", "exporter/metrics",
        "exporter/http", "config/yaml", "config/schema", "config", "cmd/cli", "cmd/logging", "cmd/serve",
        "cmd/capture",
    },
    "cmd/doctor": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources",
        "core/sources/connector", "core/sources/procfs", "core/lookup", "core/reader", "exporter/metrics",
        "exporter/http", "config/yaml", "config/schema", "config", "cmd/cli", "cmd/logging", "cmd/serve",
    },
    "cmd": {
        "core/base", "core/protocol", "core/tracker", "core/statistics", "core/sources", "core/lookup",
        "core/reader", "exporter/metrics", "exporter/http", "config/yaml", "config/schema", "config", "cmd/cli",
        "cmd/logging", "cmd/serve", "cmd/capture", "cmd/watch", "cmd/doctor",
    },
}
# The only modules that may include each third party. Repeats check_layering.THIRD_PARTIES.
OWNERS = {
    "yaml-cpp": ["config/yaml"],
    "prometheus": ["exporter/metrics"],
    "civetweb.h": ["exporter/http"],
    "zlib.h": ["exporter/http"],
    "spdlog": ["cmd/logging"],
    "nlohmann": ["cmd/capture", "cmd/doctor"],
    "pcap": ["core/sources/capture"],
    "re2": ["core/statistics"],
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
            return check_layering.check(root)[0]

    def test_clean_tree_passes(self):
        self.assertEqual(self.faults(CLEAN), [])

    def test_every_planted_fault_is_found_alone_and_at_its_line(self):
        for name, (path, text, line) in PLANTED.items():
            with self.subTest(name):
                faults = self.faults({**CLEAN, path: text})
                self.assertEqual(len(faults), 1, faults)
                self.assertTrue(faults[0].startswith(f"{path}:{line}: "), faults[0])

    def test_tables_name_the_same_modules_and_third_parties(self):
        self.assertEqual(set(ALLOWED), set(check_layering.MAY_INCLUDE))
        self.assertEqual(set(OWNERS), set(check_layering.THIRD_PARTIES))

    def test_each_pair_of_modules(self):
        """Every module includes a header of every module, one on each line of one file."""
        headers = {module: module if module.endswith(".h") else f"{module}/some.h" for module in ALLOWED}
        files = {header: "" for header in headers.values()}
        expected = []
        for module in ALLOWED:
            path = module if module.endswith(".h") else f"{module}/user.cc"
            files[path] = "".join(f'#include "{header}"\n' for header in headers.values())
            expected += [f"{path}:{line}: {module} may not include {other} ('{headers[other]}')"
                         for line, other in enumerate(ALLOWED, start=1) if other not in ALLOWED[module] | {module}]
        self.assertGreater(len(expected), len(ALLOWED))
        self.assertCountEqual(self.faults(files), expected)

    def test_each_third_party_in_each_module(self):
        headers = {party: party if party.endswith(".h") else f"{party}/some.h" for party in OWNERS}
        files, expected = {}, []
        for module in ALLOWED:
            path = module if module.endswith(".h") else f"{module}/user.cc"
            files[path] = "".join(f"#include <{header}>\n" for header in headers.values())
            expected += [f"{path}:{line}: only {', '.join(owners)} may include {party}"
                         for line, (party, owners) in enumerate(OWNERS.items(), start=1) if module not in owners]
        self.assertEqual(len(expected), len(ALLOWED) * len(OWNERS) - sum(len(owners) for owners in OWNERS.values()))
        self.assertCountEqual(self.faults(files), expected)

    def test_an_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(check_layering.check(pathlib.Path(folder))[1], 0)


if __name__ == "__main__":
    unittest.main()
