import assert from "node:assert/strict";
import * as abi from "../../../train/cpu/abi.ts";

/**
 * Returns the classes in kernels/model.ts and kernels/optimizer.ts by name, each with its fields and their types (`f32`
 * or `i32`), in order.
 */
async function kernelClasses(): Promise<Map<string, [string, string][]>> {
  const classes = new Map<string, [string, string][]>();
  for (const file of ["model", "optimizer"]) {
    const text = await Deno.readTextFile(
      new URL(`../../../train/cpu/kernels/${file}.ts`, import.meta.url),
    );
    for (const [, name, body] of text.matchAll(/class (\w+) \{(.*?)^\}/gms)) {
      const fields = [...body!.matchAll(/^ {2}(\w+): (\w+);$/gm)]
        .map(([, field, type]): [string, string] => [
          field!,
          type === "f32" ? "f32" : "i32",
        ]);
      classes.set(name!, fields);
    }
  }
  return classes;
}

Deno.test("every struct has the fields of the kernels' class in the same order", async () => {
  const classes = await kernelClasses();
  const structs = {
    Model: abi.MODEL,
    Layer: abi.LAYER,
    Segment: abi.SEGMENT,
    LossRow: abi.LOSS_ROW,
    Batch: abi.BATCH,
    TrainJob: abi.TRAIN_JOB,
    Request: abi.REQUEST,
    SampleJob: abi.SAMPLE_JOB,
    OptimizerJob: abi.OPTIMIZER_JOB,
  };
  assert.deepEqual([...classes.keys()].sort(), Object.keys(structs).sort());
  for (const [name, struct] of Object.entries(structs)) {
    assert.deepEqual(Object.entries(struct), classes.get(name), name);
  }
});
