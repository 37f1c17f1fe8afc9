/** Checks that the sizes of a training step are consistent with each other and with the actual number of rows. */

import { rowFaults } from "../../plan/batch_shape.ts";
import { type Check, fail, verdict } from "../check.ts";

/** The `batch` check. */
export const check: Check = {
  id: "batch",
  order: 130,
  title: "the numbers of GPUs, prompts, samples and steps are consistent",
  async run({ batch, facts }) {
    const dataset = await facts.dataset();
    const { gpus, engines, dataParallel, samples, optimizerSteps } = batch;
    return verdict(
      rowFaults(batch, dataset.tasks("train").length)
        .map(({ found, fix }) => fail(found, fix)),
      `GPUs: ${gpus}, engines: ${engines}, data parallel: ${dataParallel}; per rollout, samples: ${samples}, optimizer steps: ${optimizerSteps}`,
    );
  },
};
