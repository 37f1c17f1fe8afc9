import assert from "node:assert/strict";
import { InFlight } from "../../env/serve/in_flight.ts";
import { shutDown } from "../../tasks/_serving.ts";

const never = new Promise<void>(() => {});

Deno.test("shutDown() waits for the work in progress, then briefly for open connections", async () => {
  const inFlight = new InFlight();
  const work = Promise.withResolvers<void>();
  const worked = inFlight.run(() => work.promise);
  let isOver = false;
  const over = shutDown({ shutdown: () => never }, {
    ended: inFlight.ended(),
    graceMs: 0,
  }).then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isOver, false, "work is in progress");
  work.resolve();
  await Promise.all([worked, over]);
});

Deno.test("shutDown() does not wait if all connections are closed", async () => {
  await shutDown({ shutdown: () => Promise.resolve() }, {
    ended: never,
    graceMs: 2 ** 30,
  });
});

Deno.test("InFlight counts work until it ends or fails", async () => {
  const inFlight = new InFlight();
  await inFlight.ended();
  const [one, two] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  const works = [one, two].map(({ promise }) => inFlight.run(() => promise));
  let isOver = false;
  const over = inFlight.ended().then(() => isOver = true);
  one.resolve();
  await works[0];
  assert.equal(isOver, false);
  two.reject(new Error("broken"));
  await assert.rejects(works[1]!, /broken/);
  await over;
});
