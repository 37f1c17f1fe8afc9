import assert from "node:assert/strict";
import { interruptible } from "../../tasks/_bench_measure.ts";

Deno.test("interruptible() turns errors after an interrupt into an AbortError, and keeps all others", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const ended = () => Promise.reject(new Error("A process ended early"));
  await assert.rejects(interruptible(ended, { signal }), /ended early/);
  assert.equal(await interruptible(() => Promise.resolve(1), { signal }), 1);
  // The signal may arrive just after the error.
  setTimeout(() => controller.abort());
  await assert.rejects(interruptible(ended, { signal }), {
    name: "AbortError",
  });
});
