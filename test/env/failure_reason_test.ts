import assert from "node:assert/strict";
import { failureReason } from "../../env/failure_reason.ts";
import { goldOf } from "../../env/gold.ts";
import { callTool } from "../../env/call_tool.ts";
import { retail } from "../../env/domains/retail/domain.ts";
import { grade } from "../../env/reward.ts";
import type { StopReason, ToolAction } from "../../env/types.ts";
import { action, smallDataset } from "../support/retail_world.ts";

const CANCEL = action(
  "cancel_pending_order",
  '{"order_id": "#A", "reason": "no longer needed"}',
);
const CANCEL_OTHERWISE = action(
  "cancel_pending_order",
  '{"order_id": "#A", "reason": "ordered by mistake"}',
);
const PAY_OTHERWISE = action(
  "modify_pending_order_payment",
  '{"order_id": "#C", "payment_method_id": "paypal_1"}',
);

function reasonOf(
  played: readonly ToolAction[],
  { stopReason = "user_stop", outputs = [] as string[] }: {
    stopReason?: StopReason;
    outputs?: string[];
  } = {},
) {
  const dataset = smallDataset([{ actions: [CANCEL], outputs }]);
  const [task] = dataset.tasks("test");
  assert.ok(task);
  const database = dataset.database.fork();
  for (const one of played) callTool(retail, database, one);
  const gold = goldOf(dataset, task);
  const graded = grade({ database, gold, task, messages: [] });
  const cutOff = stopReason !== "user_stop" && stopReason !== "transfer";
  const reward = cutOff ? { ...graded, value: 0 } : graded;
  return failureReason({ reward, stopReason, database, gold });
}

Deno.test("failureReason() distinguishes missing, wrong and extra writes", () => {
  assert.equal(reasonOf([CANCEL]), null);
  assert.equal(reasonOf([]), "missing_write");
  assert.equal(reasonOf([CANCEL_OTHERWISE]), "wrong_write");
  assert.equal(reasonOf([CANCEL, PAY_OTHERWISE]), "extra_write");
  assert.equal(reasonOf([PAY_OTHERWISE]), "extra_write");
});

Deno.test("failureReason() reports a truncation rather than missing writes", () => {
  assert.equal(reasonOf([CANCEL], { stopReason: "max_turns" }), "out_of_turns");
  assert.equal(reasonOf([], { stopReason: "parse_errors" }), "parse_errors");
  assert.equal(reasonOf([], { stopReason: "out_of_tokens" }), "out_of_tokens");
  assert.equal(reasonOf([], { stopReason: "transfer" }), "transferred");
  assert.equal(reasonOf([CANCEL], { outputs: ["42"] }), "missing_output");
});
