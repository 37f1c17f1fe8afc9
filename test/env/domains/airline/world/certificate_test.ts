import type { AirlineTask } from "../../../../../env/domains/airline/goal/request.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { generated } from "../../../../../env/generated/generated.ts";
import {
  createCertifier,
  Rejection,
} from "../../../../../env/generated/certificate/certificate.ts";
import { isWrite } from "../../../../../env/audit/finding.ts";
import { rejectedMutations } from "../../../../support/mutated_gold.ts";

/** Options that combine many features of the generator, such as refused requests, changes of mind and all voices. */
const HARD = {
  trainTasks: 150,
  devTasks: 10,
  testTasks: 10,
  refusedShare: 0.3,
  twoIntentShare: 0.3,
  delayShare: 0.5,
  oneStopShare: 0.2,
  roundTripShare: 0.4,
  reservationStatedShare: 0.5,
  detailsStatedShare: 0.5,
  changeOfMindShare: 0.4,
  fallbackShare: 0.6,
  voices: { plain: 1, terse: 1, chatty: 1, impatient: 1 },
};

const hard = await generated(11, HARD, { domain: "airline" });

Deno.test("createCertifier() reproduces each airline task's certificate, and the world has all of them", async () => {
  const certify = createCertifier(hard);
  for (const split of hard.splits) {
    for (const task of hard.tasks(split)) {
      const kept = hard.certificates.get(task.id);
      assert.ok(kept !== undefined, task.id);
      assert.deepEqual(await certify(task), kept);
    }
  }
});

/** Returns a train task of the hard world that satisfies a condition. */
function taskLike(wanted: (task: AirlineTask) => boolean): AirlineTask {
  const task = hard.tasks("train").find(wanted);
  assert.ok(task !== undefined, "the world has such a task");
  return task;
}

async function rejectionOf(task: AirlineTask) {
  const result = await createCertifier(hard)(task);
  return result instanceof Rejection ? result : null;
}

Deno.test("createCertifier() rejects an airline task without a search that policy requires", async () => {
  const task = taskLike(({ intent }) => intent === "change_cabin");
  const actions = task.actions.filter(({ name }) => !name.startsWith("search"));
  const refusal = await rejectionOf({ ...task, actions });
  assert.equal(refusal?.part, "solvable");
  assert.match(refusal?.evidence ?? "", /search_direct_flight/);
});

Deno.test("createCertifier() rejects an airline task that refuses what policy allows", async () => {
  const task = taskLike(({ intent }) => intent === "change_cabin");
  const goal = task.goal!;
  const requests = goal.requests.map((request) => ({
    ...request,
    refused: true,
    refusedBy: "flights.available",
    outputs: ["not enough seats"],
  }));
  const refusal = await rejectionOf({
    ...task,
    actions: task.actions.filter((action) => !isWrite(action)),
    outputs: ["not enough seats"],
    goal: { ...goal, requests },
  });
  assert.equal(refusal?.part, "policy");
});

Deno.test("createCertifier() rejects a certificate for a delay if nothing was changed before", async () => {
  const task = taskLike(({ intent }) =>
    /^(cancel|change_flights)\+certificate$/.test(intent!)
  );
  const goal = task.goal!;
  const [, late] = goal.requests;
  assert.equal(late?.trip?.delayed, true);
  const refusal = await rejectionOf({
    ...task,
    actions: task.actions.filter(({ name }) =>
      !/^(cancel|update|search)_/.test(name)
    ),
    goal: { ...goal, requests: [late!] },
  });
  assert.match(refusal?.reason ?? "", /breaks certificate\.eligible/);
});

Deno.test("the first wish of an airline's user scores 0", () => {
  const task = taskLike(({ goal, intent }) =>
    intent === "add_bags" && goal!.requests[0]?.before !== undefined
  );
  const { before, trip } = task.goal!.requests[0]!;
  assert.notEqual(before?.trip?.bags, trip?.bags);
  const write = task.actions.find(isWrite)!;
  const others = hard.certificates.get(task.id)!.strict.wrong;
  assert.ok(others >= 3, `${write.name}: ${others} wrong ways`);
});

Deno.test("createCertifier() rejects at least 99% of airline tasks with mutated gold actions", async () => {
  const { share, passed, text } = await rejectedMutations(hard, 2000);
  console.log(text);
  assert.ok(share >= 0.99, passed.join("; "));
});

Deno.test("generated() of an airline certifies every task for any seed and options", async () => {
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
        oneStopShare: share,
        delayShare: share,
        otherAccountShare: share,
        changeOfMindShare: share,
        fallbackShare: share,
        voices: fc.constantFrom(
          {},
          { plain: 0, terse: 1 },
          { chatty: 1, impatient: 1 },
        ),
        passengersMax: fc.integer({ min: 1, max: 4 }),
        wording: fc.integer({ min: 1, max: 6 }),
      }),
      async (seed, options) => {
        const world = await generated(seed, {
          ...options,
          trainTasks: 8,
          devTasks: 2,
          testTasks: 2,
        }, { domain: "airline" });
        assert.equal(world.certificates.size, 12);
        for (const { strict, unique } of world.certificates.values()) {
          assert.ok(strict.tooMuch > 0 && unique.ways > 0);
        }
      },
    ),
    { numRuns: 40 },
  );
});
