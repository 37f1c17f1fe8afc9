/**
 * Defines the interface of the doctor's checks. A check examines the hosts, the data or the endpoints of a slime
 * recipe, and reports findings with fixes.
 */

import { BoundaryError } from "../../../env/errors.ts";
import type { Shell } from "../hosts/shell.ts";
import type { PlacedShell } from "../setup/placed_shell.ts";
import type { Fault } from "../fault.ts";
import type { Hooks } from "../read_hooks.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { Facts } from "./check_facts.ts";

/**
 * The state of a finding.
 * - `pass`: everything is in order.
 * - `warn`: the run may fail.
 * - `fail`: the run would fail.
 * - `skipped`: nothing was checked.
 */
export type FindingState = "pass" | "warn" | "fail" | "skipped";

/** What a check reports, either about one host or about the run as a whole. */
export type Observed =
  & (
    | { readonly state: "pass" | "skipped"; readonly found: string }
    | Fault & { readonly state: "warn" | "fail" }
  )
  & {
    /** The name of the host that the result is about, if any. */
    readonly host?: string;
  };

/** What a check reports, with the id of the check. */
export type Finding = Observed & { readonly check: string };

/** What a check can use: the resolved recipe, the hosts, and the environment of this machine. */
export interface CheckContext extends ResolvedSlime {
  /**
   * The hosts that can be reached, in the order of `cluster.hosts`, so the first one is the head if the head can be
   * reached. Only this machine if the recipe names no hosts.
   */
  readonly hosts: readonly Shell[];
  /**
   * The hosts in {@linkcode hosts} whose shells can tell where commands run: on the host itself, in a container or in a
   * virtual environment (see place.ts).
   */
  readonly places: readonly PlacedShell[];
  /** The other machines that will run episode servers; empty if only this machine does. */
  readonly servers: readonly PlacedShell[];
  /** The lookups that several checks share. */
  readonly facts: Facts;
  /** Turns a base URL that the head can reach into a URL that this machine can reach. */
  readonly reach: (base: string) => string;
  /** Reads an environment variable on this machine. Default: `Deno.env.get`. */
  readonly env: (name: string) => string | undefined;
  /** The directory of runs, where evaluations of the base model are looked up. Default: `runs`. */
  readonly runs: string;
  /** The path of the base model's evaluation; `null` to use the latest evaluation that matches the recipe. */
  readonly baseRun: string | null;
  /** The paths of the row files to check. Default: the row files that a launch would write. */
  readonly rowFiles: readonly string[];
  readonly hooks: Hooks;
  /** Aborted when the check's time limit is reached, or when the doctor is aborted. */
  readonly signal: AbortSignal;
}

/** A check that the doctor runs. */
export interface Check {
  /** The name in `--only` and `--skip`. */
  readonly id: string;
  /** The position in the order of checks. Checks whose problems would break a run sooner come first. */
  readonly order: number;
  /** What the check ensures, as a clause for the help text. */
  readonly title: string;
  /** When the check applies: `before` a run starts, while it is `running`, or always. Default: `before`. */
  readonly when?: "before" | "running" | "always";
  /** The time limit in milliseconds, unless the doctor sets another. Default: 60,000. */
  readonly timeoutMs?: number;
  run(context: CheckContext): Promise<readonly Observed[]>;
}

/** Creates a finding that everything is in order. */
export function pass(found: string): Observed {
  return { state: "pass", found };
}

/** Creates a finding about a problem that may make the run fail. */
export function warn(found: string, fix: string): Observed {
  return { state: "warn", found, fix };
}

/** Creates a finding about a problem that would make the run fail. */
export function fail(found: string, fix: string): Observed {
  return { state: "fail", found, fix };
}

/** Creates a finding that nothing was checked, with the reason. */
export function skipped(why: string): Observed {
  return { state: "skipped", found: why };
}

/** Returns the faults, or a single `pass` if there are none. */
export function verdict(
  faults: readonly Observed[],
  found: string,
): readonly Observed[] {
  return faults.length === 0 ? [pass(found)] : faults;
}

/** Runs `look` on all hosts concurrently, and adds the host's name to each finding. An error becomes a finding. */
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
 * Compares each host's result with the first host's, usually the head's. Hosts without a result are skipped.
 * @param compare Called with the other host's result, the first host's result, and the first host's name.
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
 * Turns an error that a check threw into a finding. The fix of a {@linkcode BoundaryError} is its hint. Any other error
 * is reported as a bug of the check.
 * @param otherwise The fix to use if the error has no hint.
 */
export function faultOf(
  error: unknown,
  otherwise = "fix the cause and run the doctor again",
): Observed {
  if (error instanceof BoundaryError) {
    return fail(error.message, error.hint ?? otherwise);
  }
  const stack = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return fail(
    `the check itself failed: ${stack.slice(0, 500)}`,
    "report it as a bug in taulab, with the command line; until it is fixed, skip the check with the doctor's --skip",
  );
}
