import { deepStrictEqual, ok } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { DataError } from "../../../../env/errors.ts";
import { TINY, verify, writePair } from "../../../support/checkpoints.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

/** Arbitrary damage to a file: it is truncated or extended, or some of its bytes are changed. */
const damage = fc.oneof(
  fc.record({
    kind: fc.constant("cut" as const),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant("more" as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant("flip" as const),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant("flip" as const),
    at: fc.double({ min: 0, max: 0.05, noNaN: true }),
  }),
);

Deno.test("verifyCheckpoints() reports damaged files as faults or a DataError, never another error", async () => {
  await inTempDir(async (dir) => {
    const shape = { ...TINY, layers: 2 };
    const { hf, megatron, release } = await writePair(dir, { shape });
    const files = [
      ...[
        "model-00001.safetensors",
        "model.safetensors.index.json",
        "config.json",
      ].map((name) => join(hf, name)),
      ...[
        ".metadata",
        ".metadata",
        "common.pt",
        "metadata.json",
        "__0_0.distcp",
      ].map((name) => join(release, name)),
      join(megatron, "latest_checkpointed_iteration.txt"),
    ];
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        damage,
        fc.integer({ min: 0, max: 7 }),
        async (path, { kind, at }, bit) => {
          const whole = await Deno.readFile(path);
          await Deno.writeFile(
            path,
            damaged(whole, { kind, at: Math.floor(at * whole.length), bit }),
          );
          try {
            const { faults } = await verify(hf, megatron, {
              shape,
              blockBytes: 100_000,
            });
            if (faults.length > 0) found++;
          } catch (error) {
            ok(
              error instanceof DataError,
              error instanceof Error ? error.stack : String(error),
            );
            found++;
          } finally {
            await Deno.writeFile(path, whole);
          }
        },
      ),
      { numRuns: 250 },
    );
    ok(found > 100, `only ${found} of 250 damages were found`);
    deepStrictEqual((await verify(hf, megatron, { shape })).faults, []);
  });
});

function damaged(
  whole: Uint8Array,
  { kind, at, bit }: { kind: "cut" | "more" | "flip"; at: number; bit: number },
): Uint8Array {
  if (kind === "cut") return whole.subarray(0, at);
  if (kind === "more") return new Uint8Array([...whole, bit]);
  const bytes = whole.slice();
  bytes[at]! ^= 1 << bit;
  return bytes;
}
