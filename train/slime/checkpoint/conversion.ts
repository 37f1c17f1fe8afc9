/**
 * Converts a checkpoint with slime's tools. Unless verification is turned off, the result is verified before it becomes
 * the target. The verification can also make a conversion unnecessary: complete output of an interrupted conversion is
 * used, and a target that is already correct is left unchanged unless the user forces a conversion.
 */

import { dirname } from "node:path/posix";
import { ConfigError, DataError, HostError } from "../../../env/errors.ts";
import { sleep } from "../../../env/retry.ts";
import { gigabytes } from "../../progress/amounts.ts";
import { outputOf, quoteWords, type Shell } from "../hosts/shell.ts";
import { conversionError } from "./convert_failure.ts";
import { BUSY, type ConversionPlan } from "./convert_plan.ts";
import type { Probe } from "./convert_probe.ts";
import type { Verified, Verifier, VerifyProgress } from "./verifier.ts";

/** An abort signal, and callbacks that report progress. */
export interface ConversionEvents {
  readonly signal?: AbortSignal | undefined;
  /** Called at each stage with a one-line message for the user. */
  readonly onStage?: ((text: string) => void) | undefined;
  readonly onConvert?: ((progress: ConvertProgress) => void) | undefined;
  readonly onVerify?: ((progress: VerifyProgress) => void) | undefined;
}

/** Options for {@linkcode convert}. */
export interface ConvertContext extends Omit<ConversionEvents, "onVerify"> {
  readonly shell: Shell;
  /** Compares two directories on the machine that holds them; `undefined` to skip verification. */
  readonly verify: Verifier | undefined;
  /** Whether to replace an existing target, without comparing it with the source first. */
  readonly force: boolean;
}

/** The progress of the conversion tool, in bytes written to disk. */
export interface ConvertProgress {
  readonly bytes: number;
  readonly expectedBytes: number;
  readonly seconds: number;
}

/** The result of a conversion. */
export interface Converted {
  /**
   * How the target was obtained.
   * - `up_to_date`: it was already correct.
   * - `adopted`: it is the output of an interrupted conversion, which was complete.
   * - `converted`: it was converted now.
   */
  readonly state: "up_to_date" | "adopted" | "converted";
  /** The result of the verification; `undefined` if nothing was verified. */
  readonly verdict: Verified | undefined;
}

/** The required disk space, relative to the size of the weights. */
const ROOM = 1.05;

/** The interval in milliseconds between checks of the size on disk. */
const WATCH_MS = 2000;

/**
 * Converts a checkpoint. The conversion is skipped if the verification finds that the output of an interrupted
 * conversion is correct, or that the target is correct and `force` is not set.
 * @throws {ConfigError} If the target exists, `force` is not set, and the target differs from the source or cannot be
 * verified; or if its disk has too little free space.
 * @throws {HostError} If a command fails. For slime's tool, the error quotes and explains the tool's last output.
 * @throws {DataError} If the result does not match the model. It is then kept alongside the target.
 */
export async function convert(
  plan: ConversionPlan,
  probe: Probe,
  context: ConvertContext,
): Promise<Converted> {
  const { verify, force, onStage } = context;
  await restoreTarget(plan, probe, context);
  const isThere = probe.to || probe.replaced;
  if (isThere && !force) return await keepTarget(plan, context);
  if (probe.partial && verify) {
    onStage?.(
      `checking whether an earlier attempt in "${plan.partial}" is complete`,
    );
    const verdict = await verify(plan.input, plan.partial);
    if (verdict.equal) {
      await putInPlace(plan, { isThere, context });
      return { state: "adopted", verdict };
    }
  }
  refuseSmallDisk(plan, probe);
  onStage?.(`converting "${plan.from}" with slime's tool`);
  await runTool(plan, context);
  const verdict = await verifyResult(plan, context);
  await putInPlace(plan, { isThere, context });
  return { state: "converted", verdict };
}

/**
 * Restores a target that an interrupted run had moved aside. If the target exists again, the old one is deleted
 * instead.
 */
async function restoreTarget(
  { to }: ConversionPlan,
  probe: Probe,
  context: ConvertContext,
): Promise<void> {
  if (!probe.replaced) return;
  const aside = asideOf(to);
  await runOrThrow(
    context,
    probe.to ? quoteWords(["rm", "-rf", aside]) : quoteWords(["mv", aside, to]),
  );
}

/**
 * Checks an existing target and keeps it if it is correct.
 * @throws {ConfigError} If the target differs from the source, or cannot be compared with it because verification is
 * turned off.
 */
async function keepTarget(
  { input, to, from }: ConversionPlan,
  { verify, onStage }: ConvertContext,
): Promise<Converted> {
  if (verify === undefined) {
    throw new ConfigError(
      `"${to}" already exists`,
      {
        hint: "omit --skip-verify to verify it, or pass --force to replace it",
      },
    );
  }
  onStage?.(`"${to}" exists: comparing it with "${from}"`);
  const verdict = await verify(input, to);
  if (verdict.equal) return { state: "up_to_date", verdict };
  throw new ConfigError(
    `"${to}" already exists and differs from "${from}":\n${
      quoted(verdict.faults)
    }`,
    {
      hint:
        `choose another directory with --to, or pass --force to replace "${to}"`,
    },
  );
}

function refuseSmallDisk(
  { expectedBytes, to }: ConversionPlan,
  { free }: Probe,
): void {
  const needed = Math.ceil(expectedBytes * ROOM);
  if (free === undefined || free >= needed) return;
  throw new ConfigError(
    `The disk that holds "${to}" has ${
      gigabytes(free)
    } free, but the conversion needs ${gigabytes(needed)}`,
    { hint: "free some space, or choose another directory with --to" },
  );
}

async function runTool(
  plan: ConversionPlan,
  context: ConvertContext,
): Promise<void> {
  const { shell, signal } = context;
  await runOrThrow(context, quoteWords(["mkdir", "-p", dirname(plan.to)]));
  const done = new AbortController();
  const watching = watch(plan, { context, done: done.signal });
  try {
    const output = await shell.run(plan.command, { signal });
    if (output.code !== BUSY) { // no other conversion uses the lock file
      await runOrThrow(
        context,
        quoteWords(["rm", "-f", `${plan.partial}.lock`]),
      );
    }
    if (output.code !== 0) throw conversionError(shell.name, { plan, output });
  } finally {
    done.abort();
    await watching;
  }
}

/** Reports the size on disk until the tool has ended. If the size cannot be read, nothing is reported. */
async function watch(
  { partial, expectedBytes }: ConversionPlan,
  { context: { shell, onConvert }, done }: {
    context: ConvertContext;
    done: AbortSignal;
  },
): Promise<void> {
  if (onConvert === undefined) return;
  const script = `${quoteWords(["du", "-sb", partial])} 2>/dev/null`;
  const start = performance.now();
  while (!done.aborted) {
    try {
      await sleep(WATCH_MS, { signal: done });
      const { code, stdout } = await shell.run({ script }, { signal: done });
      const bytes = parseInt(stdout);
      const seconds = (performance.now() - start) / 1000;
      if (code === 0 && bytes >= 0) {
        onConvert({ bytes, expectedBytes, seconds });
      }
    } catch (error) {
      if (!done.aborted && !(error instanceof HostError)) throw error;
    }
  }
}

async function verifyResult(
  { input, partial }: ConversionPlan,
  { verify, onStage }: ConvertContext,
): Promise<Verified | undefined> {
  if (verify === undefined) return undefined;
  onStage?.("verifying every tensor of the result");
  const verdict = await verify(input, partial);
  if (verdict.equal) return verdict;
  throw new DataError(
    `The converted checkpoint in "${partial}" does not match the model:\n${
      quoted(verdict.faults)
    }`,
    {
      path: partial,
      hint:
        "inspect the converted checkpoint before the next attempt, which deletes it",
    },
  );
}

/**
 * Makes the result the target. An existing target is first moved aside and finally deleted, so that one of the two is
 * always complete.
 */
async function putInPlace(
  { partial, to }: ConversionPlan,
  { isThere, context }: { isThere: boolean; context: ConvertContext },
): Promise<void> {
  const aside = asideOf(to);
  const place = quoteWords(["mv", partial, to]);
  await runOrThrow(
    context,
    isThere
      ? `${quoteWords(["mv", to, aside])} && ${place} && ${
        quoteWords(["rm", "-rf", aside])
      }`
      : place,
  );
}

function asideOf(to: string): string {
  return `${to}.replaced`;
}

/**
 * Runs a short command.
 * @throws {HostError} If the command fails.
 */
async function runOrThrow(
  { shell, signal }: ConvertContext,
  script: string,
): Promise<void> {
  const what = `"${script}" failed on ${shell.name}`;
  const hint = "fix the cause, and run the same command again";
  await outputOf(shell, { script, signal, what, hint });
}

const MAX_FAULTS = 12;

function quoted(faults: readonly string[]): string {
  const more = faults.length - MAX_FAULTS;
  return [
    ...faults.slice(0, MAX_FAULTS),
    ...(more > 0 ? [`and ${more} more`] : []),
  ].map((fault) => `  - ${fault}`).join("\n");
}
