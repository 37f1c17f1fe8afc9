import assert from "node:assert/strict";
import { Timeouts } from "../../../env/models/_timeouts.ts";

Deno.test("timeouts expire in the order in which they started, never early, and never if cancelled", async () => {
  const timeouts = new Timeouts(20);
  const late: number[] = [];
  const begun = performance.now();
  const start = (n: number) =>
    new Promise<number>((resolve) =>
      timeouts.start(() => {
        late.push(n);
        resolve(performance.now() - begun);
      })
    );
  const first = start(1);
  const cancel = timeouts.start(() => late.push(2));
  const third = start(3);
  cancel();
  cancel(); // a second time, without effect
  assert.ok(await first >= 19);
  await third;
  // A timeout that starts while others expire has its full length.
  const from = performance.now() - begun;
  assert.ok(await start(4) - from >= 19);
  assert.deepEqual(late, [1, 3, 4]);
});

Deno.test("a timeout that starts in another's callback does not expire with it", async () => {
  const timeouts = new Timeouts(5);
  const called: string[] = [];
  await new Promise<void>((resolve) => {
    timeouts.start(() => {
      called.push("first");
      timeouts.start(() => {
        called.push("second");
        resolve();
      });
    });
    timeouts.start(() => called.push("beside it"));
  });
  assert.deepEqual(called, ["first", "beside it", "second"]);
});

Deno.test("no timer remains without pending timeouts", () => {
  const timeouts = new Timeouts(60_000);
  const cancels = [1, 2, 3].map(() => timeouts.start(() => assert.fail()));
  for (const cancel of cancels) cancel(); // otherwise the test leaks a timer and fails
});
