import assert from "node:assert/strict";

/** Calls `holds` every 30 ms until it resolves to `true`. Fails after 15 s. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!await holds()) {
    assert.ok(performance.now() < deadline, "the condition never held");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
