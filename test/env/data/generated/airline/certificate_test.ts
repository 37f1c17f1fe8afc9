import assert from "node:assert/strict";
import fc from "fast-check";
import { generatedAirlineWorld } from "../../../../../env/data/generated/generated.ts";
import { refusedMutations } from "../../../../fakes/mutated_gold.ts";

Deno.test("createCertifier() refuses a mutated airline gold at least 99 times in 100", async () => {
  const dataset = await generatedAirlineWorld(11, {
    trainTasks: 150,
    devTasks: 1,
    testTasks: 1,
    refusedShare: 0.3,
    twoIntentShare: 0.3,
  });
  const { share, passed, text } = await refusedMutations(dataset, 2000);
  console.log(text);
  assert.ok(share >= 0.99, passed.join("; "));
});

Deno.test("generatedAirlineWorld() certifies every task for any seed and options", async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1e6),
      fc.record({
        refusedShare: share,
        twoIntentShare: share,
        reservationStatedShare: share,
        detailsStatedShare: share,
        cityNamesShare: share,
        roundTripShare: share,
        passengersMax: fc.integer({ min: 1, max: 4 }),
        wording: fc.integer({ min: 1, max: 6 }),
      }),
      async (seed, options) => {
        const world = await generatedAirlineWorld(seed, {
          ...options,
          trainTasks: 8,
          devTasks: 2,
          testTasks: 2,
        });
        assert.equal(world.certificates.size, 12);
        for (const { strict, unique } of world.certificates.values()) {
          assert.ok(strict.tooMuch > 0 && unique.ways > 0);
        }
      },
    ),
    { numRuns: 30 },
  );
});
