"""Import cycles, counting imports inside functions and behind `TYPE_CHECKING`; a cycle hidden is a cycle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp

from tests.architecture.tree import PRODUCT


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph(*PRODUCT, exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    cycle: list[str] = []
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        cycle = error.args[1]
    assert not cycle, " is imported by ".join(cycle)
