/** A setup step of a host: what it creates, how that is checked, and what it runs. */

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

/** One command of a step. */
export interface Line {
  /** The script for `sh -c`. */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input that setup provides. */
  readonly input?: { readonly description: string; read(): Promise<string> };
  /** Whether the command uses the network; it is then retried after transient failures. */
  readonly network?: boolean;
}

/** A step of one host. */
export interface Step {
  readonly id: StepId;
  /** A description: `slime at 624b824a in /root/slime`. */
  readonly title: string;
  /** Whether it runs in the container, if there is one. Default: on the host. */
  readonly inside?: boolean;
  /** A description of the check. */
  readonly checks: string;
  /**
   * A script that changes nothing (see {@linkcode checkScript}); its last line is `done …`, `todo …` or `refused
   * …`.
   */
  readonly check: string;
  /**
   * Returns the commands to run; missing if the step only checks.
   * @param was The text after `todo` in the check's output.
   */
  commands?(was: string): readonly Line[];
  /** The usual state before the step; plans show the commands for it. Default: `absent`. */
  readonly usual?: string;
  /**
   * Returns the information needed to undo the step.
   * @param was The text after `todo` in the check's output.
   */
  made?(was: string): Made | undefined;
  /** The progress: a script that prints the bytes so far, and the expected total. */
  readonly size?: { readonly script: string; readonly bytes: number };
}

/** The result of a check. */
export interface Probe {
  readonly state: "done" | "todo" | "refused";
  /** The rest of the check's output, after the state. */
  readonly detail: string;
}

/**
 * Parses the last line of a check.
 * @returns `undefined` if it has no known state.
 */
export function readProbe(stdout: string): Probe | undefined {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const [, state, detail] = /^(done|todo|refused)(?: (.*))?$/.exec(last) ?? [];
  if (state === undefined) return undefined;
  return { state: state as Probe["state"], detail: detail ?? "" };
}

/** The suffix of an incomplete directory. */
export const PARTIAL = ".taulab-partial";

/**
 * Shell functions of every check: `say "STATE WORDS"` ends it, `needs PROGRAM HINT` refuses if a program is
 * missing.
 */
const CHECK_FUNCTIONS = `say() { echo "$1"; exit 0; }
needs() { command -v "$1" >/dev/null || say "refused $1 is not installed; $2"; }`;

/** Returns the complete script of a step's check. */
export function checkScript({ check }: { readonly check: string }): string {
  return `${CHECK_FUNCTIONS}\n${check}`;
}

/** Abbreviates a commit to eight digits. */
export function short(commit: string): string {
  return commit.slice(0, 8);
}
