import assert from "node:assert/strict";
import fc from "fast-check";
import { goldOf } from "../../env/gold.ts";
import { grade, isOutputTold, tauBenchRewardInfo } from "../../env/reward.ts";
import type { ToolAction } from "../../env/types.ts";
import { callTool } from "../../env/call_tool.ts";
import { retail } from "../../env/domains/retail/domain.ts";
import { action, smallDataset } from "../support/retail_world.ts";

const CANCEL = action(
  "cancel_pending_order",
  '{"order_id": "#A", "reason": "no longer needed"}',
);
const MISTAKE = action(
  "cancel_pending_order",
  '{"order_id": "#A", "reason": "ordered by mistake"}',
);
const RETURN = action(
  "return_delivered_order_items",
  '{"order_id": "#B", "item_ids": ["101"], "payment_method_id": "paypal_1"}',
);
const READ = action("get_order_details", '{"order_id": "#A"}');

function gradeActions(
  gold: { actions: readonly ToolAction[]; outputs?: string[] },
  done: readonly ToolAction[],
  messages: readonly string[] = [],
) {
  const dataset = smallDataset([gold]);
  const [task] = dataset.tasks("test");
  assert.ok(task);
  const database = dataset.database.fork();
  for (const action of done) callTool(retail, database, action);
  const outcome = { database, gold: goldOf(dataset, task), task, messages };
  return { outcome, reward: grade(outcome) };
}

Deno.test("grade() names the rows and the fields that differ, and both values", () => {
  const { reward } = gradeActions({ actions: [CANCEL] }, [MISTAKE, RETURN]);
  assert.equal(reward.value, 0);
  assert.deepEqual(reward.parts, { database: 0, outputs: null });
  assert.deepEqual(reward.differences, [
    {
      table: "orders",
      id: "#A",
      fields: [{
        path: "cancel_reason",
        expected: '"no longer needed"',
        actual: '"ordered by mistake"',
      }],
    },
    {
      table: "orders",
      id: "#B",
      fields: [
        {
          path: "status",
          expected: '"delivered"',
          actual: '"return requested"',
        },
        { path: "return_items", expected: null, actual: '["101"]' },
        {
          path: "return_payment_method_id",
          expected: null,
          actual: '"paypal_1"',
        },
      ],
    },
  ]);
  const missed = gradeActions({ actions: [CANCEL] }, [READ]).reward;
  assert.deepEqual(missed.differences[0]?.fields.slice(0, 2), [
    { path: "status", expected: '"cancelled"', actual: '"pending"' },
    {
      path: "payment_history[1]",
      expected:
        '{"transaction_type": "refund", "amount": 20.2, "payment_method_id": "paypal_1"}',
      actual: null,
    },
  ]);
});

Deno.test("grade() does not depend on reads, nor on the order of independent writes", () => {
  const actions = [CANCEL, RETURN, READ, READ];
  fc.assert(
    fc.property(fc.shuffledSubarray(actions, { minLength: 4 }), (shuffled) => {
      assert.equal(
        gradeActions({ actions: [CANCEL, RETURN] }, shuffled).reward.value,
        1,
      );
    }),
  );
});

Deno.test("grade() agrees with the states' hashes", () => {
  const any = fc.subarray([CANCEL, MISTAKE, RETURN, READ]);
  fc.assert(fc.property(any, any, (actions, done) => {
    const { outcome, reward } = gradeActions({ actions }, done);
    assert.equal(
      reward.parts.database === 1,
      outcome.database.hash() === outcome.gold.hash(),
    );
  }));
});

Deno.test("grade() requires every output and the right database", () => {
  const gold = { actions: [CANCEL], outputs: ["54.04", "Blue"] };
  assert.equal(
    gradeActions(gold, [CANCEL], ["It is 54.04.", "It is blue"]).reward.value,
    1,
  );
  const { reward, outcome } = gradeActions(gold, [CANCEL], ["It is 54,04."]);
  assert.deepEqual(reward.parts, { database: 1, outputs: 0 });
  assert.deepEqual(reward.missingOutputs, ["54.04", "Blue"]);
  assert.deepEqual(tauBenchRewardInfo(outcome, reward), {
    r_outputs: 0,
    outputs: { "54.04": false, Blue: false },
  });
  const wrong = gradeActions(gold, [], ["54.04 blue"]).reward;
  assert.deepEqual([wrong.value, wrong.parts], [0, {
    database: 0,
    outputs: 1,
  }]);
});

Deno.test("tauBenchRewardInfo() shows the gold state's hash if no output is required", () => {
  const { outcome, reward } = gradeActions({ actions: [CANCEL] }, [CANCEL]);
  assert.deepEqual(tauBenchRewardInfo(outcome, reward), {
    r_actions: 1,
    gt_data_hash: outcome.database.hash(),
  });
});

Deno.test("isOutputTold() ignores case and the commas of the messages, but not those of the output", () => {
  assert.ok(isOutputTold("1234", ["", "that is 1,2,34 in all"]));
  assert.ok(!isOutputTold("1,234", ["1,234"]));
  assert.ok(isOutputTold("K", ["\u212a"]));
  assert.ok(isOutputTold("", [""]) && !isOutputTold("", []));
});
