import assert from "node:assert/strict";
import { createMeter } from "../../../env/models/meter.ts";

const CALL = {
  retries: 1,
  promptTokens: 1000,
  cachedTokens: 400,
  completionTokens: 100,
};
const PRICES = { a: { input: 2, cachedInput: 1, output: 10 } };

Deno.test("Meter.record() returns the cost of a call and adds it up by source and model", () => {
  const meter = createMeter({ prices: PRICES });
  const usage = meter.record({ source: "model", model: "a" }, CALL);
  assert.deepEqual(usage, { ...CALL, calls: 1, cost: 0.0026 });
  meter.record({ source: "model", model: "a" }, CALL);
  meter.record({ source: "user", model: "a" }, CALL);
  assert.deepEqual(
    meter.totals.map(({ source, model, usage }) => [
      source,
      model,
      usage.calls,
      usage.promptTokens,
      usage.cost,
    ]),
    [["model", "a", 2, 2000, 0.0052], ["user", "a", 1, 1000, 0.0026]],
  );
});

Deno.test("Meter.record() returns an unknown cost, not 0, if there is no price", () => {
  const meter = createMeter({ prices: PRICES });
  assert.equal(meter.record({ source: "user", model: "b" }, CALL).cost, null);
  assert.equal(meter.totals[0]?.usage.cost, null);
});

Deno.test("Meter.signal is aborted by the call that uses up the budget, with a hint for continuing", () => {
  const byCost = createMeter({ prices: PRICES, maxCost: 0.005 });
  byCost.record({ source: "model", model: "a" }, CALL);
  assert.ok(!byCost.signal.aborted);
  byCost.record({ source: "model", model: "a" }, CALL);
  assert.match(
    String(byCost.signal.reason),
    /BudgetError: The budget is spent: \$0\.0052 used; pass a larger --max-cost to continue/,
  );
  const byTokens = createMeter({ maxTokens: 1100 });
  byTokens.record({ source: "user", model: "b" }, CALL);
  assert.match(
    String(byTokens.signal.reason),
    /1100 tokens used.*--max-tokens/,
  );
});

Deno.test("Meter.requirePrice() rejects a budget in dollars that cannot be enforced", () => {
  createMeter({ maxTokens: 5 }).requirePrice("b");
  createMeter({ prices: PRICES, maxCost: 1 }).requirePrice("a");
  assert.throws(
    () => createMeter({ prices: PRICES, maxCost: 1 }).requirePrice("x/b"),
    {
      name: "ConfigError",
      message: /"x\/b" has no price$/,
      hint: /^pass --max-tokens instead, or add prices/,
    },
  );
});

Deno.test("createMeter() rejects a budget in dollars if the earlier cost is unknown", () => {
  const before = { ...CALL, calls: 3, cost: null };
  createMeter({ maxTokens: 5000, before });
  assert.throws(() => createMeter({ maxCost: 1, before }), {
    name: "ConfigError",
    message: /Cannot enforce --max-cost: .* without prices/,
  });
});
