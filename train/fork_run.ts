/**
 * Forks runs, so that several runs share one cold start and one rejection fine-tuning, which are trained only once.
 */

import { join } from "node:path";
import { ConfigError } from "../env/errors.ts";
import { type Config, configDifferences, valueText } from "./config/config.ts";
import { mayChange } from "./config/config_flags.ts";
import { configSchema } from "./config/config_schema.ts";
import { TOKENIZER } from "./cpu/run_tokenizer.ts";
import { phaseEnds } from "./phases.ts";
import { checkCheckpoint } from "./runs/checkpoint_dirs.ts";
import { readTextIfThere } from "./runs/storage.ts";
import { readRun } from "./runs/training_dir.ts";
import { startRun } from "./session.ts";

/**
 * Creates a run at `to` with the progress of the run at `from` up to the policy gradient. When the new run is resumed,
 * it reaches the same figures as a run that was trained from scratch. The episodes before the policy gradient stay in
 * `from`.
 * @param config The config of `from`, which may differ in the section `rl` and in the keys that a resumed run may
 * change.
 * @throws {ConfigError} If there is no run at `from`, the configs differ in other keys, or `to` already exists.
 * @throws {RunDirError} If a checkpoint at the end of a phase is missing or damaged, or `to` cannot be written.
 */
export async function forkRun(
  from: string,
  { to, config }: { readonly to: string; readonly config: Config },
): Promise<void> {
  const origin = await readRun(from);
  const other = configDifferences(origin.config, config)
    .find(({ key }) => !key.startsWith("rl.") && !mayChange(configSchema, key));
  if (other !== undefined) {
    throw new ConfigError(
      `Cannot fork "${from}": ${other.key} is ${
        valueText(other.there)
      } in its config, but ${valueText(other.here)} in the new config`,
      { hint: 'change only keys in the "rl" section' },
    );
  }
  const { coldStart, rft } = phaseEnds(config);
  const ends = [...new Set([coldStart, rft])];
  for (const step of ends) {
    await checkCheckpoint(from, { step, hint: "fork another run" });
  }
  await using run = await startRun(to, {
    config,
    dataset: origin.info.dataset,
  });
  for (const line of origin.lines) {
    // The metrics of a control have the last step of the run. If that step ends rft, they must not be copied as
    // progress of rft.
    const isControl = line.phase === "control" || line.phase === "control_eval";
    if (line.step <= rft && !isControl) await run.record(line);
  }
  const tokenizer = await readTextIfThere(join(from, TOKENIZER));
  if (tokenizer !== undefined) await run.writeText(TOKENIZER, tokenizer);
  for (const step of ends) {
    const policy = join(from, "checkpoints", String(step), "policy");
    await run.saveCheckpoint(step, async (dir) => {
      await Deno.mkdir(join(dir, "policy"));
      for await (const { name } of Deno.readDir(policy)) {
        await Deno.copyFile(join(policy, name), join(dir, "policy", name));
      }
    });
  }
}
