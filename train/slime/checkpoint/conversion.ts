/**
 * Converts a checkpoint by slime's tools, verified before it counts: begun again where it was cut off, left alone
 * where it is done.
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

/** What goes on, for whoever waits. */
export interface ConversionEvents {
  readonly signal?: AbortSignal | undefined;
  /** A line for people. */
  readonly onStage?: ((text: string) => void) | undefined;
  readonly onConvert?: ((progress: ConvertProgress) => void) | undefined;
  readonly onVerify?: ((progress: VerifyProgress) => void) | undefined;
}

/** What {@linkcode convert} needs. */
export interface ConvertContext extends Omit<ConversionEvents, "onVerify"> {
  readonly shell: Shell;
  /** Compares two directories where they are; `undefined` does without. */
  readonly verify: Verifier | undefined;
  /** Replace a target that is there and differs. */
  readonly force: boolean;
}

/** How far the tool has written. */
export interface ConvertProgress {
  readonly bytes: number;
  readonly expectedBytes: number;
  readonly seconds: number;
}

/** The result of a conversion. */
export interface Converted {
  readonly state: "there" | "adopted" | "converted";
  /** Missing where nothing was verified. */
  readonly verdict: Verified | undefined;
}

/** A disk wants some room besides the weights. */
const ROOM = 1.05;

/** Between looks at how much is on disk. */
const WATCH_MS = 2000;

/**
 * Does what is left of a conversion.
 * @throws {ConfigError} If the target is there and is another checkpoint, or its disk is too small.
 * @throws {HostError} If the tool fails; its last words are quoted and explained.
 * @throws {DataError} If what the tool wrote is not the model. It is kept beside the target.
 */
export async function convert(
  plan: ConversionPlan,
  probe: Probe,
  context: ConvertContext,
): Promise<Converted> {
  const { verify, force, onStage } = context;
  await bringBack(plan, probe, context);
  const isThere = probe.to || probe.replaced;
  if (isThere && !force) return await keepTarget(plan, context);
  if (probe.partial && verify) {
    onStage?.(`looking whether an earlier try in "${plan.partial}" was whole`);
    const verdict = await verify(plan.input, plan.partial);
    if (verdict.equal) {
      await putInPlace(plan, { isThere, context });
      return { state: "adopted", verdict };
    }
  }
  refuseSmallDisk(plan, probe);
  onStage?.(`converting "${plan.from}" by slime's tool`);
  await runTool(plan, context);
  const verdict = await verifyResult(plan, context);
  await putInPlace(plan, { isThere, context });
  return { state: "converted", verdict };
}

/** A target that was put aside by a run that then died is the target again. */
async function bringBack(
  { to }: ConversionPlan,
  probe: Probe,
  context: ConvertContext,
): Promise<void> {
  if (!probe.replaced) return;
  const aside = asideOf(to);
  await must(
    context,
    probe.to ? quoteWords(["rm", "-rf", aside]) : quoteWords(["mv", aside, to]),
  );
}

/** The target is there: nothing to do where it is right, and nothing done where it is not. */
async function keepTarget(
  { input, to, from }: ConversionPlan,
  { verify, onStage }: ConvertContext,
): Promise<Converted> {
  if (verify === undefined) {
    throw new ConfigError(
      `"${to}" is there already`,
      {
        hint:
          "let it be verified, by omitting --skip-verify, or replace it by --force",
      },
    );
  }
  onStage?.(`"${to}" is there: comparing it with "${from}"`);
  const verdict = await verify(input, to);
  if (verdict.equal) return { state: "there", verdict };
  throw new ConfigError(
    `"${to}" is there already and is not "${from}" converted`,
    {
      hint: `choose another --to, or replace it by --force:\n${
        quoted(verdict.faults)
      }`,
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
    `The disk of "${to}" has ${
      gigabytes(free)
    } free, and the conversion takes ${gigabytes(needed)}`,
    { hint: "free some space, or choose another --to" },
  );
}

async function runTool(
  plan: ConversionPlan,
  context: ConvertContext,
): Promise<void> {
  const { shell, signal } = context;
  await must(context, quoteWords(["mkdir", "-p", dirname(plan.to)]));
  const done = new AbortController();
  const watching = watch(plan, { context, done: done.signal });
  try {
    const output = await shell.run(plan.command, { signal });
    if (output.code !== BUSY) { // what holds the lock is the tool; the file only litters
      await must(context, quoteWords(["rm", "-f", `${plan.partial}.lock`]));
    }
    if (output.code !== 0) throw conversionError(shell.name, { plan, output });
  } finally {
    done.abort();
    await watching;
  }
}

/** Reports how much is on disk until the tool has ended. That it cannot be told is no failure. */
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
    `The converter ended well, and its result is not the model: it stays in "${partial}" to be looked at, and the next try removes it\n${
      quoted(verdict.faults)
    }`,
    { path: partial },
  );
}

/** The verified result becomes the target. An older target is put aside first, so that one of the two is always whole. */
async function putInPlace(
  { partial, to }: ConversionPlan,
  { isThere, context }: { isThere: boolean; context: ConvertContext },
): Promise<void> {
  const aside = asideOf(to);
  const place = quoteWords(["mv", partial, to]);
  await must(
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

/** Small commands that have no reason to fail but the system's. */
async function must(
  { shell, signal }: ConvertContext,
  script: string,
): Promise<void> {
  const what = `"${script}" failed on ${shell.name}`;
  const hint = "fix that and run the same command again";
  await outputOf(shell, { script, signal, what, hint });
}

const MOST_FAULTS = 12;

function quoted(faults: readonly string[]): string {
  const more = faults.length - MOST_FAULTS;
  return [
    ...faults.slice(0, MOST_FAULTS),
    ...(more > 0 ? [`and ${more} more faults`] : []),
  ].map((fault) => `  - ${fault}`).join("\n");
}
