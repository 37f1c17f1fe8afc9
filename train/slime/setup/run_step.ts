/** Runs one setup step on one host: checks whether it is done, runs its commands, and checks again. */

import { HostError } from "../../../env/errors.ts";
import { retry, type Sleep, sleep } from "../../../env/retry.ts";
import { redact } from "../../../env/models/redact.ts";
import type { Shell, ShellOutput } from "../hosts/shell.ts";
import {
  checkScript,
  type Line,
  type Probe,
  readProbe,
  type Step,
} from "./step.ts";

/** The progress of a download on one host. */
export interface Progress {
  readonly bytes: number;
  readonly total: number;
  /** The rate over the last half minute, in bytes per second; 0 if unknown. */
  readonly bytesPerS: number;
}

/** Options for {@linkcode doStep}. */
export interface StepOptions {
  readonly signal: AbortSignal;
  /** Values to redact in the output of the step's commands. */
  readonly secrets: readonly string[];
  /**
   * The time in milliseconds without output or growth after which a download is stopped, to be retried. Default: 10
   * minutes.
   */
  readonly stallMs?: number;
  readonly sleep?: Sleep | undefined;
  onLine?(line: string): void;
  onProgress?(progress: Progress): void;
}

/** The retries of commands that use the network: one after 3 s and one after 15 s. */
const RETRY = { retries: 2, backoffMs: 3_000, factor: 5 } as const;

const POLL_MS = 2_000;
const WINDOW_MS = 30_000;
const STALL_MS = 600_000;

/** The exit status of a stalled command, which is also the exit status of `timeout`. */
const STALLED = 124;

/**
 * Checks whether a step is done, without changing anything.
 * @throws {HostError} If the check itself fails.
 */
export async function checkStep(
  step: { readonly check: string; readonly id: string },
  shell: Shell,
  { signal }: { readonly signal: AbortSignal },
): Promise<Probe> {
  const { code, stdout, stderr } = await shell.run({
    script: checkScript(step),
  }, { signal });
  const probe = readProbe(stdout);
  if (code === 0 && probe !== undefined) return probe;
  throw new HostError(
    `${shell.name}: ${step.id}: the check of this step failed (exit status ${code})${
      lastWords(stderr || stdout)
    }`,
  );
}

/**
 * Runs the commands of a step, and then its check.
 * @throws {HostError} If a command fails, or the step is still not done according to its check.
 */
export async function doStep(
  step: Step,
  { shell, was }: { readonly shell: Shell; readonly was: string },
  options: StepOptions,
): Promise<Probe> {
  const pulse = new StallDetector(step.size && (options.stallMs ?? STALL_MS));
  await using watching = new AsyncDisposableStack();
  if (step.size) {
    const stop = new AbortController();
    const { signal } = stop;
    const ended = watch(step.size, { ...options, shell, pulse, signal })
      .catch(() => {}); // the step itself reports the error
    watching.defer(() => ended);
    watching.defer(() => stop.abort());
  }
  for (const line of step.commands?.(was) ?? []) {
    await runLine(line, { step, shell, pulse }, options);
  }
  const probe = await checkStep(step, shell, options);
  if (probe.state === "done") return probe;
  throw new HostError(
    `${shell.name}: ${step.id}: the commands succeeded, but the check of this step still reports: ${probe.detail}`,
  );
}

interface Place {
  readonly step: Step;
  readonly shell: Shell;
  readonly pulse: StallDetector;
}

async function runLine(
  line: Line,
  { step, shell, pulse }: Place,
  options: StepOptions,
): Promise<void> {
  const { script, env = {}, input } = line;
  const stdin = await input?.read();
  const command = { script, env, ...stdin === undefined ? {} : { stdin } };
  const { signal, onLine } = options;
  const run = (signal: AbortSignal) =>
    shell.run(command, {
      signal,
      onLine: (text) => {
        pulse.beat();
        onLine?.(redact(text, options.secrets));
      },
    });
  const { code, stdout, stderr } = await retry(() => pulse.guard(signal, run), {
    ...RETRY,
    signal,
    sleep: options.sleep,
    isRetried: () => false,
    isFailure: ({ code }) =>
      line.network === true && code !== 0 && code !== 127,
    onRetry: ({ value, waitMs }) =>
      onLine?.(`exit status ${value?.code}; retrying in ${waitMs / 1000} s`),
  });
  if (code === 0) return;
  throw new HostError(
    `${shell.name}: ${step.id}: exit status ${code} from: ${script}${
      redact(lastWords(stderr || stdout), options.secrets)
    }\nFix the error and run the same command again; completed steps are skipped`,
  );
}

function lastWords(text: string): string {
  const lines = text.trim().split(/\r?\n|\r/).filter((line) => line !== "");
  return lines.slice(-5).map((line) => `\n  ${line}`).join("");
}

/** Detects whether a command has stalled. */
class StallDetector {
  readonly #stallMs: number | undefined;
  #lastMs = 0;

  constructor(stallMs: number | undefined) {
    this.#stallMs = stallMs;
  }

  beat(): void {
    this.#lastMs = performance.now();
  }

  /** Runs a command, and kills it if it stalls. It then fails like any other command. */
  async guard(
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<ShellOutput>,
  ): Promise<ShellOutput> {
    const stallMs = this.#stallMs;
    if (stallMs === undefined) return await run(signal);
    const stalled = new AbortController();
    this.beat();
    const timer = setInterval(() => {
      if (performance.now() - this.#lastMs > stallMs) stalled.abort();
    }, stallMs / 10);
    try {
      return await run(AbortSignal.any([signal, stalled.signal]));
    } catch (error) {
      if (signal.aborted || !stalled.signal.aborted) throw error;
      const stderr = `no output for ${Math.round(stallMs / 1000)} s`;
      return { code: STALLED, stdout: "", stderr };
    } finally {
      clearInterval(timer);
    }
  }
}

/** Measures the size on disk every two seconds until the signal is aborted. */
async function watch(
  size: NonNullable<Step["size"]>,
  { shell, pulse, onProgress, signal }: {
    readonly shell: Shell;
    readonly pulse: StallDetector;
    readonly signal: AbortSignal;
    onProgress?(progress: Progress): void;
  },
): Promise<void> {
  const seen: { atMs: number; bytes: number }[] = [];
  while (!signal.aborted) {
    const { stdout } = await shell.run({ script: size.script }, { signal });
    const now = { atMs: performance.now(), bytes: Number(stdout.trim()) || 0 };
    if (now.bytes !== seen.at(-1)?.bytes) pulse.beat();
    seen.push(now);
    while (now.atMs - seen[0]!.atMs > WINDOW_MS) seen.shift();
    const first = seen[0]!;
    const seconds = (now.atMs - first.atMs) / 1000;
    onProgress?.({
      bytes: now.bytes,
      total: size.bytes,
      bytesPerS: seconds > 0 ? (now.bytes - first.bytes) / seconds : 0,
    });
    await sleep(POLL_MS, { signal });
  }
}
