"""What is measured follows the code: single operations can be measured. Whether they are fast is no test's business."""

from __future__ import annotations

from tests.benchmarks.pieces import measure_pieces


async def test_what_single_operations_cost_can_be_measured() -> None:
    (table,) = await measure_pieces(quick=True)
    costs = {what: cost for what, cost, _ in table.rows}
    assert any(what.startswith("a policy decision") for what in costs)
    assert all(cost > 0 for cost in costs.values()), costs
