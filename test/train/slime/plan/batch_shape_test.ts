import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  batchFaults,
  batchPlan,
  type BatchShape,
  rowFaults,
} from "../../../../train/slime/plan/batch_shape.ts";
import { faultText } from "../../../../train/slime/fault.ts";
import { MODEL_SHAPES } from "../../../../train/slime/model_shapes.ts";

/** The batch sizes in slime's example script for τ-bench. */
const example: BatchShape = {
  actorNumNodes: 1,
  actorNumGpusPerNode: 2,
  rolloutNumGpus: 2,
  rolloutNumGpusPerEngine: 1,
  colocate: true,
  tensorParallel: 2,
  pipelineParallel: 1,
  contextParallel: 1,
  rolloutBatchSize: 32,
  samplesPerPrompt: 8,
  globalBatchSize: 256,
  overSamplingBatchSize: 32,
  microBatchSize: 1,
};
const model = MODEL_SHAPES["Qwen3-4B"];

Deno.test("batchPlan() returns the values of slime's example", () => {
  deepStrictEqual(batchPlan(example), {
    gpus: 2,
    engines: 2,
    dataParallel: 1,
    samples: 256,
    optimizerSteps: 1,
  });
  deepStrictEqual(batchFaults(example, model), []);
});

Deno.test("batchPlan() adds the engines' GPUs if they are separate", () => {
  strictEqual(batchPlan({ ...example, colocate: false }).gpus, 4);
});

const broken: readonly [Partial<BatchShape>, RegExp][] = [
  [{ rolloutNumGpusPerEngine: 4 }, /multiple of engine\.gpus \(4\)/],
  [{ colocate: false, rolloutNumGpus: 0 }, /rollout GPUs \(0\)/],
  [{ contextParallel: 4 }, /training GPUs \(2\) is not divisible/],
  [{ actorNumGpusPerNode: 16, tensorParallel: 16 }, /to a divisor of 8/],
  [
    { actorNumGpusPerNode: 10, pipelineParallel: 5 },
    /5 does not divide the model's number of layers \(36\)/,
  ],
  [{ samplesPerPrompt: 1, globalBatchSize: 32 }, /rewards cannot differ/],
  [{ globalBatchSize: 512 }, /not a multiple of rollout\.globalBatchSize 512/],
  [{ rolloutBatchSize: 31 }, /silently drop the remainder/],
  [
    { actorNumGpusPerNode: 6 },
    /parallel\.microBatchSize × data parallel \(1 × 3\)/,
  ],
  [{ overSamplingBatchSize: 31 }, /less than rollout\.batchSize 32/],
  [{ overSamplingBatchSize: 501 }, /the number of rows in the dataset \(500\)/],
];
for (const [change, fault] of broken) {
  Deno.test(`batchFaults() refuses ${JSON.stringify(change)}`, () => {
    const shape = { ...example, ...change };
    const faults = [...batchFaults(shape, model), ...rowFaults(shape, 500)];
    strictEqual(faults.length, 1, faults.map(faultText).join("\n"));
    match(faultText(faults[0]!), fault);
  });
}

Deno.test("batchFaults() rejects shapes that would drop samples", () => {
  const size = fc.integer({ min: 1, max: 64 });
  const samplesPerPrompt = fc.integer({ min: 2, max: 16 });
  fc.assert(
    fc.property(size, samplesPerPrompt, size, (rolloutBatchSize, n, global) => {
      const shape = {
        ...example,
        rolloutBatchSize,
        samplesPerPrompt: n,
        globalBatchSize: global,
        overSamplingBatchSize: rolloutBatchSize,
      };
      const { samples, optimizerSteps } = batchPlan(shape);
      const isWhole = optimizerSteps > 0 && optimizerSteps * global === samples;
      strictEqual(batchFaults(shape, model).length === 0, isWhole);
    }),
  );
});
