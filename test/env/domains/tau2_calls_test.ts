import assert from "node:assert/strict";
import { createRng } from "../../../env/random.ts";
import { airlineCalls } from "../../support/tau2_airline_calls.ts";
import { withoutTau2 } from "../../support/tau2_oracle.ts";
import {
  compareWithTau2,
  playCalls,
  playWorld,
} from "../../support/tau2_play.ts";
import { retailCalls } from "../../support/tau2_retail_calls.ts";

/** The seed with which calls are drawn. `TAU2_SEED=2 TAU2_TIMES=10` draws ten times as many calls with another seed. */
const SEED = Deno.env.get("TAU2_SEED") ?? 1;
const TIMES = Number(Deno.env.get("TAU2_TIMES") ?? 1);

const CALLS = 16;
/**
 * The number of call sequences for each domain, and the function that draws the calls. The number is small for the
 * airline, because the original takes a long time to build and hash that domain.
 */
const PLANS = [
  { name: "airline", cases: 24, callsOf: airlineCalls },
  { name: "retail", cases: 60, callsOf: retailCalls },
] as const;

for (const { name, cases, callsOf } of PLANS) {
  Deno.test({
    name:
      `τ³-bench's ${name} answers drawn calls like the original (needs Python with tau2)`,
    ignore: withoutTau2(),
    async fn() {
      const world = playWorld(name);
      const played = Array.from({ length: cases * TIMES }, (_, i) => {
        const rng = createRng(SEED, name, i);
        return playCalls(world, callsOf(rng, world.base), CALLS);
      });
      const { calls, errors, differences } = await compareWithTau2(
        world,
        played,
      );
      assert.deepEqual(differences.slice(0, 10), []);
      assert.equal(calls, cases * TIMES * CALLS);
      const share = errors / calls;
      assert.ok(share > 0.1 && share < 0.9, `${errors} of ${calls} are errors`);
    },
  });
}
