/** A step of setting up a host: what it makes, how it is checked, what it runs. */

import type { Made } from "./manifest.ts";

/** The steps in their order. */
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
  /** For `sh -c`. */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What is made here and read there. */
  readonly input?: { readonly description: string; read(): Promise<string> };
  /** Fetches something: retried, since networks fail for a moment. */
  readonly network?: boolean;
}

/** A step of one host. */
export interface Step {
  readonly id: StepId;
  /** `slime at 624b824a in /root/slime`. */
  readonly title: string;
  /** Runs in the container, where there is one. Default: on the host. */
  readonly inside?: boolean;
  /** What the check asks, in words. */
  readonly checks: string;
  /** A script that changes nothing, see {@linkcode checkScript}; its last line is `done …`, `todo …` or `refused …`. */
  readonly check: string;
  /** What is to be run; nothing where it is only checked. @param was What the check said after `todo`. */
  commands?(was: string): readonly Line[];
  /** What is there before, as a rule; plans show the commands for that. Default: `absent`. */
  readonly usual?: string;
  /** What undoing has to know. @param was As above. */
  made?(was: string): Made | undefined;
  /** How far it is: a script that prints bytes, and how many there will be. */
  readonly size?: { readonly script: string; readonly bytes: number };
}

/** What a check found. */
export interface Probe {
  readonly state: "done" | "todo" | "refused";
  /** What the check said after the state. */
  readonly detail: string;
}

/** Reads the last line of a check. @returns `undefined` where it says none of the states. */
export function readProbe(stdout: string): Probe | undefined {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const [, state, detail] = /^(done|todo|refused)(?: (.*))?$/.exec(last) ?? [];
  if (state === undefined) return undefined;
  return { state: state as Probe["state"], detail: detail ?? "" };
}

/** What a directory is called until it is whole. */
export const PARTIAL = ".taulab-partial";

/** Shell functions of every check: `say "STATE WORDS"` ends it, `needs PROGRAM HINT` refuses where a program is missing. */
const CHECK_FUNCTIONS = `say() { echo "$1"; exit 0; }
needs() { command -v "$1" >/dev/null || say "refused $1 is not there; $2"; }`;

/** The whole script of a step's check. */
export function checkScript({ check }: { readonly check: string }): string {
  return `${CHECK_FUNCTIONS}\n${check}`;
}

/** The first eight digits of a commit, as people read it. */
export function short(commit: string): string {
  return commit.slice(0, 8);
}
