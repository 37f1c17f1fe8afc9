/** Writes runs of a tiny, untrained policy. */

import { join } from "node:path";
import { type Config, resolveConfig } from "../../train/config/config.ts";
import { type CpuLab, createCpuLab } from "../../train/cpu/cpu_lab.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import { newRunInfo } from "../../train/runs/run_info.ts";
import { TOKENIZER } from "../../train/cpu/run_tokenizer.ts";
import { sealedJson } from "../../train/runs/seal.ts";

/** The config of a run with a tiny policy. */
export const TINY_CONFIG: Config = resolveConfig({
  name: "tiny",
  text: `
    threads: 1
    model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16, contextLength: 2048 }
    data: { generated: { trainTasks: 12, devTasks: 2, testTasks: 3 } }
    rollout: { maxTokensPerTurn: 16, maxTurns: 30 }
  `,
});

/**
 * Writes a run with a checkpoint at each of `steps`, all with the same weights. Calls `look` with the lab of the run.
 */
export async function writePolicyRun(
  path: string,
  { steps = [1], startedAt = new Date(0), look }: {
    steps?: readonly number[];
    startedAt?: Date;
    look?: (lab: CpuLab) => Promise<void>;
  } = {},
): Promise<void> {
  const config = TINY_CONFIG;
  const dataset = await openDataset(config.data);
  const info = await newRunInfo({
    seed: config.seed,
    dataset,
    now: startedAt,
  });
  await using run = await TrainingDir.create(path, { config, info });
  await run.begin(startedAt);
  await using lab = await createCpuLab({ config, dataset });
  await run.writeText(TOKENIZER, sealedJson(lab.tokenizer));
  for (const step of steps) {
    await run.saveCheckpoint(
      step,
      (dir) => lab.trainer.save(join(dir, "policy")),
    );
  }
  const usage = { wallS: 1, peakRssBytes: 1 };
  await run.end({ outcome: "completed", now: startedAt, ...usage });
  await look?.(lab);
}
