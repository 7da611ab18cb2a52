"""Each rule of tools/check finds what it is there to find, and lets stand what is right.

The trees are made of text alone: path -> content. Ends with `N passed, N failed`.
"""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from checks import layering, orders, shape, sizes, snippets, sources, twins, words  # noqa: E402

TOP = """#pragma once
// A box.
// E1  put (release) -> get (acquire): the getter sees the item.
// D1  a sleeper says so and looks for work; a submitter adds work and looks for sleepers.

#include <sluice/queues/atomic.hpp>

namespace sluice {
"""
BOTH_ENDS = TOP + """
void put() { word.store(1, release); }  // E1 publish
int get() {
  // E1 observe
  return word.load(
      acquire);
}
void sleep() { word.store(1, seq_cst); }  // D1 store
bool submit() { return word.load(seq_cst); }  // D1 load
}
"""


def findings(rule, **files):
    """(path, line) of what a rule finds in a tree; `queues__x_hpp` stands for queues/x.hpp."""
    tree = {}
    for name, text in files.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        path = f"{stem}.{ending}"
        tree[path] = sources.Source(path, text)
    return sorted((path, line) for path, line, _ in rule(tree))


class Orders(unittest.TestCase):
    def test_orders_that_name_their_edges_stand(self):
        self.assertEqual(findings(orders.check_orders, queues__x_hpp=BOTH_ENDS), [])
        self.assertEqual(findings(orders.check_edges, queues__x_hpp=BOTH_ENDS), [])

    def test_an_order_without_an_edge_is_found(self):
        text = BOTH_ENDS.replace("  // E1 observe\n", "\n\n")
        self.assertEqual(findings(orders.check_orders, queues__x_hpp=text), [("queues/x.hpp", 15)])

    def test_a_function_of_that_name_is_no_order(self):
        text = "void f() { permit.release(); semaphore.acquire(2); auto p = &box::release; }\n"
        self.assertEqual(findings(orders.check_orders, queues__x_hpp=text), [])

    def test_an_order_in_a_comment_or_a_string_is_no_order(self):
        text = 'void f() { say("load(acquire)"); }  // store(1, release)\n'
        self.assertEqual(findings(orders.check_orders, queues__x_hpp=text), [])

    def test_a_seq_cst_that_names_no_dekker_pair_is_found(self):
        text = TOP + "void f() { word.store(1, seq_cst); }  // E1 publish\n"
        self.assertEqual(findings(orders.check_orders, queues__x_hpp=text), [("queues/x.hpp", 9)])

    def test_an_edge_with_one_end_is_found_where_it_is_declared(self):
        text = BOTH_ENDS.replace("E1 observe", "E1 once more").replace("return word.load(", "return word.load(relaxed")
        text = text.replace("      acquire);", "      );")
        self.assertEqual(findings(orders.check_edges, queues__x_hpp=text), [("queues/x.hpp", 3)])

    def test_an_edge_that_is_only_named_is_at_the_end_that_its_order_can_be(self):
        text = BOTH_ENDS.replace("E1 observe", "E1").replace("D1 load", "D1").replace("E1 publish", "E1")
        self.assertEqual(findings(orders.check_edges, queues__x_hpp=text), [])

    def test_an_edge_that_nobody_declared_is_found_where_it_is_used(self):
        text = BOTH_ENDS + "int i;  // E7 observe\n"
        self.assertEqual(findings(orders.check_edges, queues__x_hpp=text), [("queues/x.hpp", text.count("\n"))])

    def test_an_end_may_stand_in_another_file_that_names_the_first(self):
        here = BOTH_ENDS.replace("  // E1 observe\n", "\n\n")
        there = "#pragma once\nvoid g() { word.load(acquire); }  // E1 observe in queues/x.hpp\n"
        self.assertEqual(findings(orders.check_edges, queues__x_hpp=here, queues__y_hpp=there), [])

    def test_a_source_may_use_the_edges_of_its_header(self):
        here = BOTH_ENDS.replace("  // E1 observe\n", "\n\n")
        self.assertEqual(findings(orders.check_edges, queues__x_hpp=here, queues__x_cpp="int i;  // E1 observe\n"), [])


class Layering(unittest.TestCase):
    def test_a_layer_that_looks_down_stands(self):
        text = "#include <sluice/queues/x.hpp>\n#include <vector>\n#include <sys/mman.h>\n"
        self.assertEqual(findings(layering.check_includes, scheduler__x_hpp=text), [])

    def test_a_layer_that_looks_up_is_found(self):
        text = "#include <sluice/scheduler/x.hpp>\n"
        self.assertEqual(findings(layering.check_includes, queues__x_cpp=text), [("queues/x.cpp", 1)])

    def test_an_include_in_quotes_is_found(self):
        self.assertEqual(findings(layering.check_includes, queues__x_cpp='#include "y.hpp"\n'), [("queues/x.cpp", 1)])

    def test_a_third_party_may_stand_in_a_source_and_not_in_a_header(self):
        text = "#include <tbb/task_arena.h>\n"
        self.assertEqual(findings(layering.check_includes, runtime__x_cpp=text, runtime__x_hpp=text),
                         [("runtime/x.hpp", 1)])

    def test_what_belongs_behind_the_door_is_found(self):
        text = "std::atomic<int> a;\nint b;  // std::atomic\nvolatile int c;\nstd::mutex m;\n"
        self.assertEqual(findings(layering.check_door, queues__x_cpp=text, tests__x_cpp=text),
                         [("queues/x.cpp", 1), ("queues/x.cpp", 3), ("queues/x.cpp", 4)])


class Sizes(unittest.TestCase):
    def test_a_long_function_is_found_and_a_long_class_is_not(self):
        member = "  void f() { g(); }\n"
        self.assertEqual(findings(sizes.check, queues__x_hpp="struct x : y<decltype(f())> {\n" + member * 80 + "};\n"), [])
        long = "template <class T>\nauto f(T t) -> int {\n" + "  if (t) { g(); }\n" * 60 + "}\n"
        self.assertEqual(findings(sizes.check, queues__x_hpp=long), [("queues/x.hpp", 1)])

    def test_a_long_file_is_found(self):
        self.assertEqual(findings(sizes.check, queues__x_hpp="int i;\n" * 601), [("queues/x.hpp", 601)])


class Twins(unittest.TestCase):
    def test_a_source_without_a_test_is_found(self):
        self.assertEqual(findings(twins.check, queues__x_hpp="int i;\n"), [("queues/x.hpp", 1)])
        self.assertEqual(findings(twins.check, queues__x_hpp="int i;\n", tests__queues__x_test_cpp=""), [])

    def test_atomics_need_a_model_and_a_stress_test_too(self):
        text = "atomic<int> a{0};\n"
        self.assertEqual(len(findings(twins.check, queues__x_hpp=text, tests__queues__x_test_cpp="")), 2)

    def test_an_atomic_that_is_only_passed_needs_neither(self):
        text = "void wait(atomic<std::uint32_t>& word, atomic<T*>* other);\n"
        self.assertEqual(findings(twins.check, queues__x_hpp=text, tests__queues__x_test_cpp=""), [])

    def test_a_test_may_say_what_else_it_covers(self):
        said = "// models: queues/x.hpp, queues/y.hpp\n// stresses: queues/x.hpp\n// tests: queues/x.hpp\n"
        self.assertEqual(findings(twins.check, queues__x_hpp="atomic<int> a{0};\n", tests__queues__z_test_cpp=said), [])


class Words(unittest.TestCase):
    def test_paths_of_one_machine_and_promises_are_found(self):
        text = "see /" + "home/me/x\n// TO" + "DO: finish\nbuild/home/x\n"
        self.assertEqual(findings(words.check, tools__x_md=text), [("tools/x.md", 1), ("tools/x.md", 2)])


class Snippets(unittest.TestCase):
    PROGRAM = "// Prints.\nint main() {\n  f();\n}\n"

    def readme(self, mark, block):
        text = f"Look:\n\n{mark}\n```cpp\n{block}```\n"
        return findings(snippets.check, README_md=text, tests__examples__a_cpp=self.PROGRAM)

    def test_a_block_that_is_part_of_its_program_stands(self):
        self.assertEqual(self.readme("<!-- from tests/examples/a.cpp -->", "int main() {\n  f();\n"), [])

    def test_a_block_that_differs_is_found(self):
        self.assertEqual(self.readme("<!-- from tests/examples/a.cpp -->", "  g();\n"), [("README.md", 4)])

    def test_a_block_of_no_program_is_found(self):
        self.assertEqual(self.readme("", "int main() {\n"), [("README.md", 4)])
        self.assertEqual(self.readme("<!-- from tests/examples/b.cpp -->", "int main() {\n"), [("README.md", 4)])


class Shape(unittest.TestCase):
    def test_a_new_folder_and_a_header_that_can_be_included_twice_are_found(self):
        self.assertEqual(findings(shape.check, docs__x_md="", queues__x_hpp="int i;\n"),
                         [("docs/x.md", 1), ("queues/x.hpp", 1)])


def main():
    result = unittest.main(exit=False, verbosity=0).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
