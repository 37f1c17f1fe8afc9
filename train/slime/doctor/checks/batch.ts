/** The arithmetic of a step, with the number of rows that there really are. */

import { rowFaults } from "../../plan/batch_shape.ts";
import { type Check, fail, verdict } from "../check.ts";

/** The check `batch`. */
export const check: Check = {
  id: "batch",
  order: 130,
  title: "GPUs, prompts, samples and steps fit together",
  async run({ batch, facts }) {
    const dataset = await facts.dataset();
    const { gpus, engines, dataParallel, samples, optimizerSteps } = batch;
    return verdict(
      rowFaults(batch, dataset.tasks("train").length)
        .map(({ found, fix }) => fail(found, fix)),
      `${gpus} GPUs, ${engines} engines, data parallel ${dataParallel}; ${samples} samples and ${optimizerSteps} optimizer steps a rollout`,
    );
  },
};
