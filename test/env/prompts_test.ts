import assert from "node:assert/strict";
import { retailPrompts } from "../../env/domains/retail/world/world_prompts.ts";
import { loadTauBench } from "../../env/benchmarks/tau/tau_bench.ts";
import { fillPrompt } from "../../env/prompts.ts";
import type { Prompts } from "../../env/types.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../support/tau_bench.ts";

Deno.test("fillPrompt() fills in one pass, literally, and keeps placeholders without a value", () => {
  assert.equal(
    fillPrompt("<<a>> <<b>> <<c>> {a} $&", { a: "<<b>>", b: "$& $1" }),
    "<<b>> $& $1 <<c>> {a} $&",
  );
  assert.equal(fillPrompt("<<constructor>>", {}), "<<constructor>>");
});

/** Returns the placeholders in each prompt text, keyed by the name of the text. */
function placeholders({ user, agent }: Prompts): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...user, ...agent }).flatMap(([key, text]) =>
      typeof text === "string"
        ? [[key, (text.match(/<<\w+>>/g) ?? []).sort().join()]]
        : []
    ),
  );
}

Deno.test({
  name:
    "the generated world's prompts have the placeholders and markers of τ-bench's",
  ignore: NO_TAU_BENCH,
  async fn() {
    const theirs = (await loadTauBench(TAU_BENCH, "retail")).prompts();
    assert.deepEqual(placeholders(retailPrompts), placeholders(theirs));
    assert.equal(
      retailPrompts.agent.actionMarker,
      theirs.agent.actionMarker,
    );
    for (const marker of ["Thought:", "User Response:"]) {
      assert.ok(theirs.user.reactSystem.includes(marker));
      assert.ok(retailPrompts.user.reactSystem.includes(marker));
    }
  },
});
