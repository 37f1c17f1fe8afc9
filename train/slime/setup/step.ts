/** Defines the steps of setup: what a step creates, how setup checks whether it is done, and which commands it runs. */

import type { Made } from "./manifest.ts";

/** The names of the steps, in order. */
export const STEP_IDS = [
  "image",
  "container",
  "venv",
  "slime",
  "requirements",
  "slime-package",
  "packages",
  "model",
  "deno",
  "taulab",
  "tau-bench",
  "tau-bench-data",
  "tau3-bench",
  "tau3-bench-data",
] as const;

/** The name of a step. */
export type StepId = typeof STEP_IDS[number];

/** A command of a step. */
export interface Line {
  /** The script for `sh -c`. */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The text for standard input, which setup provides. */
  readonly input?: { readonly description: string; read(): Promise<string> };
  /** Whether the command uses the network, in which case it is retried if it fails. */
  readonly network?: boolean;
}

/** A step of the setup of one host. */
export interface Step {
  readonly id: StepId;
  /** A description for users, such as `slime at 624b824a in /root/slime`. */
  readonly title: string;
  /**
   * Whether the step runs where the host's commands run, for example in a container. Default: it runs on the host
   * itself.
   */
  readonly inside?: boolean;
  /** What the check ensures, as a clause. */
  readonly checks: string;
  /**
   * The script of the check, which changes nothing (see {@linkcode checkScript}). Its last line of output is `done …`,
   * `todo …` or `refused …`.
   */
  readonly check: string;
  /**
   * Returns the commands of the step. Missing if the step only checks something.
   * @param was The text after `todo` in the output of the check.
   */
  commands?(was: string): readonly Line[];
  /** The usual text after `todo` before the step has run. Plans show the commands for this state. Default: `absent`. */
  readonly usual?: string;
  /**
   * Returns what the step creates, which is needed to undo the step; `undefined` if there is nothing to record.
   * @param was The text after `todo` in the output of the check.
   */
  made?(was: string): Made | undefined;
  /** How to measure the progress: a script that prints the number of bytes so far, and the expected total. */
  readonly size?: { readonly script: string; readonly bytes: number };
}

/** The result of a check. */
export interface Probe {
  readonly state: "done" | "todo" | "refused";
  /** The rest of the last line of output, after the state. */
  readonly detail: string;
}

/**
 * Parses the last line of a check's output.
 * @returns The result; `undefined` if the line does not start with a known state.
 */
export function readProbe(stdout: string): Probe | undefined {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const [, state, detail] = /^(done|todo|refused)(?: (.*))?$/.exec(last) ?? [];
  if (state === undefined) return undefined;
  return { state: state as Probe["state"], detail: detail ?? "" };
}

/** The suffix of a directory that is still incomplete. */
export const PARTIAL = ".taulab-partial";

/**
 * Shell functions that every check can use. `say "STATE WORDS"` prints the result and ends the check. `needs PROGRAM
 * HINT` ends the check with `refused` if a program is missing.
 */
const CHECK_FUNCTIONS = `say() { echo "$1"; exit 0; }
needs() { command -v "$1" >/dev/null || say "refused $1 is not installed; $2"; }`;

/** Returns the complete script for the check of a step. */
export function checkScript({ check }: { readonly check: string }): string {
  return `${CHECK_FUNCTIONS}\n${check}`;
}

/** Abbreviates a commit to eight digits. */
export function short(commit: string): string {
  return commit.slice(0, 8);
}
