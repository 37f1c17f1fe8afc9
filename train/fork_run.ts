/**
 * Runs that share what comes before the policy gradient, the cold start and rejection fine-tuning: it is trained once,
 * and each goes on from it in its own way.
 */

import { join } from "node:path";
import { ConfigError } from "../env/errors.ts";
import { type Config, configDifferences } from "./config/config.ts";
import { mayChange } from "./config/config_flags.ts";
import { configSchema } from "./config/config_schema.ts";
import { TOKENIZER } from "./cpu/run_tokenizer.ts";
import { phaseEnds } from "./phases.ts";
import { checkCheckpoint } from "./runs/checkpoint_dirs.ts";
import { readTextIfThere } from "./runs/storage.ts";
import { readRun } from "./runs/training_dir.ts";
import { startRun } from "./session.ts";

/**
 * Creates a run at `to` that has done what the run at `from` did before the policy gradient; resumed, it comes to the
 * figures of a run that did so itself. The episodes until then stay with `from`.
 * @param config That of `from` but for its section `rl` and for what a resumed run may change.
 * @throws {ConfigError} If there is no such run, it differs elsewhere, or `to` is there already.
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
      `Cannot go on from "${from}": ${other.key} is ${other.there} there, ${other.here} here`,
      { hint: "let only keys of rl differ" },
    );
  }
  const { coldStart, rft } = phaseEnds(config);
  const ends = [...new Set([coldStart, rft])];
  for (const step of ends) await checkCheckpoint(from, { step });
  await using run = await startRun(to, {
    config,
    dataset: origin.info.dataset,
  });
  for (const line of origin.lines) {
    // A control's lines have the run's last step: where that is `rft`, they are not of what came before.
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
