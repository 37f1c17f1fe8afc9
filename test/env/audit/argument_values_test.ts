import assert from "node:assert/strict";
import { leaves } from "../../../env/audit/argument_values.ts";
import { call } from "../../../env/domains/shared/call.ts";

Deno.test("leaves() returns the numbers of a calculation, and the strings of any other call", () => {
  const sum = call("calculate", { expression: "(12.50 + 3) * 2 - 0.5" });
  assert.deepEqual(leaves(sum).map(({ value }) => value), [
    "12.50",
    "3",
    "2",
    "0.5",
  ]);
  const read = call("get_order_details", { order_id: "#W1", amount: "7" });
  assert.deepEqual(leaves(read), [{ path: "order_id", value: "#W1" }]);
});
