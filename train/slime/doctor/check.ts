/**
 * What a check of the doctor is: a question about the hosts, the data or the endpoints of a slime recipe, and
 * what was found, with the way to fix it.
 */

import { BoundaryError } from "../../../env/errors.ts";
import type { Shell } from "../hosts/shell.ts";
import type { PlacedShell } from "../setup/placed_shell.ts";
import type { Fault } from "../fault.ts";
import type { Hooks } from "../read_hooks.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { Facts } from "./check_facts.ts";

/** How a finding stands: a `fail` would cost the run, a `warn` may. */
export type FindingState = "pass" | "warn" | "fail" | "skipped";

/** What a check saw. */
export type Observed =
  & (
    | { readonly state: "pass" | "skipped"; readonly found: string }
    | Fault & { readonly state: "warn" | "fail" }
  )
  & {
    /** The host, where it is of one. */
    readonly host?: string;
  };

/** What a check saw, and which check. */
export type Finding = Observed & { readonly check: string };

/** What checks go by: the recipe with what follows from it, and the world that it is to run in. */
export interface CheckContext extends ResolvedSlime {
  /** Those that can be reached, the head first; this machine where the recipe names none. */
  readonly hosts: readonly Shell[];
  /** Those of them whose place is known. */
  readonly places: readonly PlacedShell[];
  /** Those that episode servers are to run on; none runs them on this machine. */
  readonly servers: readonly PlacedShell[];
  /** What several checks need, looked up once. */
  readonly facts: Facts;
  /** A base URL as the head reaches it, made into one that is reached from here. */
  readonly reach: (base: string) => string;
  /** Reads a variable of this machine's environment. Default: `Deno.env.get`. */
  readonly env: (name: string) => string | undefined;
  /** Directory of the runs, where evaluations of the base model are looked for. Default: `runs`. */
  readonly runs: string;
  /** The evaluation of the base model; `null` looks for the latest. */
  readonly baseRun: string | null;
  /** Files of rows to look at. Default: those that a launch would write. */
  readonly rowFiles: readonly string[];
  readonly hooks: Hooks;
  /** Aborted when the check's time is over. */
  readonly signal: AbortSignal;
}

/** A check. */
export interface Check {
  /** For `--only` and `--skip`. */
  readonly id: string;
  /** Where it stands among the others: a run falls over what the first look at before the last. */
  readonly order: number;
  /** What it asks, for help. */
  readonly title: string;
  /** `running` looks at a run that is under way. Default: `before`. */
  readonly when?: "before" | "running" | "always";
  /** Until it is given up, unless the doctor is told otherwise. Default: a minute. */
  readonly timeoutMs?: number;
  run(context: CheckContext): Promise<readonly Observed[]>;
}

/** It is as it should be. */
export function pass(found: string): Observed {
  return { state: "pass", found };
}

/** It may go wrong. */
export function warn(found: string, fix: string): Observed {
  return { state: "warn", found, fix };
}

/** It will go wrong. */
export function fail(found: string, fix: string): Observed {
  return { state: "fail", found, fix };
}

/** Nobody looked, and why. */
export function skipped(why: string): Observed {
  return { state: "skipped", found: why };
}

/** What is wrong, or that nothing is. */
export function verdict(
  faults: readonly Observed[],
  found: string,
): readonly Observed[] {
  return faults.length === 0 ? [pass(found)] : faults;
}

/** Looks at each host at the same time; what is found, or thrown, bears its name. */
export async function onEachHost<S extends Shell>(
  hosts: readonly S[],
  look: (host: S) => Promise<readonly Observed[]>,
): Promise<Observed[]> {
  const found = await Promise.all(hosts.map(async (host) => {
    const all = await look(host).catch((error: unknown) => [faultOf(error)]);
    return all.map((one) => ({ ...one, host: host.name }));
  }));
  return found.flat();
}

/**
 * Compares what was found on hosts, which answer in any order, with the first of them, mostly the head.
 * @param compare Gets another host's, the first one's, and the first one's name.
 */
export function differences<T>(
  hosts: readonly Shell[],
  found: ReadonlyMap<string, T>,
  compare: (there: T, first: T, name: string) => readonly Observed[],
): Observed[] {
  const [first, ...others] = hosts.map(({ name }) => name)
    .filter((name) => found.has(name));
  return others.flatMap((host) =>
    compare(found.get(host)!, found.get(first!)!, first!)
      .map((one) => ({ ...one, host }))
  );
}

/**
 * What a check throws, as a finding. Errors of ours carry a hint; what else is thrown is a bug, and no reason to
 * trust the other checks less.
 * @param otherwise What to do where an error does not say.
 */
export function faultOf(
  error: unknown,
  otherwise = "fix what it names, then look again",
): Observed {
  if (error instanceof BoundaryError) {
    return fail(error.message, error.hint ?? otherwise);
  }
  const stack = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return fail(
    `the check itself broke: ${stack.slice(0, 500)}`,
    "report it as a bug of taulab with the command line, and go on with --skip",
  );
}
