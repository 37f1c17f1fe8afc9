/** The arithmetic of a step, with the number of rows that there really are. */

import { batchFaults, batchPlan } from "../../plan/batch_shape.ts";
import { batchShape } from "../../slime_config.ts";
import { MODEL_SHAPES } from "../../model_shapes.ts";
import { type Check, fail, verdict } from "../check.ts";

/** The check `batch`. */
export const batch: Check = {
  id: "batch",
  title: "GPUs, prompts, samples and steps fit together",
  async run({ config, facts }) {
    const dataset = await facts.dataset();
    const { heads, kvGroups, layers } = MODEL_SHAPES[config.model.name];
    const shape = batchShape(config);
    const faults = batchFaults(shape, {
      heads,
      kvGroups,
      layers,
      rows: dataset.tasks("train").length,
    });
    const { gpus, engines, dataParallel, samples, optimizerSteps } = batchPlan(
      shape,
    );
    return verdict(
      faults.map(toFinding),
      `${gpus} GPUs, ${engines} engines, data parallel ${dataParallel}; ${samples} samples and ${optimizerSteps} optimizer steps a rollout`,
    );
  },
};

/** A fault says its way out behind the last semicolon. */
function toFinding(fault: string) {
  const at = fault.lastIndexOf("; ");
  return at < 0
    ? fail(fault, "change the keys that it names")
    : fail(fault.slice(0, at), fault.slice(at + 2));
}
