/**
 * Runs the doctor, which checks everything that a slime run needs before any GPU hours are spent.
 *
 *     recipe ─▶ hosts that answer ─▶ checks, all at once, each with a time limit ─▶ findings ─▶ report
 */

import { ConfigError } from "../../../env/errors.ts";
import { nearest } from "../../../env/schema_issue.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { PlacedShell } from "../setup/placed_shell.ts";
import { readHooks } from "../read_hooks.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import type { Shell } from "../hosts/shell.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import type { Check, CheckContext, Finding } from "./check.ts";
import { CHECKS } from "./checks.ts";
import { examine } from "./run_check.ts";
import { Facts } from "./check_facts.ts";
import { limitedShell } from "./limited_shell.ts";
import { clocks, contactHosts } from "./reachable_hosts.ts";
import { openRelay, type Relay } from "./host_relay.ts";

/** Options for {@linkcode preflight}. */
export interface DoctorOptions
  extends
    CallOptions,
    Partial<Pick<CheckContext, "runs" | "rowFiles" | "env">> {
  /**
   * The hosts in the order of `cluster.hosts`, starting with the head. Only this machine if the recipe names no hosts.
   */
  readonly hosts: readonly (Shell | PlacedShell)[];
  /** The hosts that will run episode servers, which may include this machine. Default: only this machine. */
  readonly servers?: readonly PlacedShell[];
  /** The ids of the checks to run, even if they do not apply. Default: all checks that apply. */
  readonly only?: readonly string[];
  /** The ids of checks to skip. Default: none. */
  readonly skip?: readonly string[];
  /** Whether to check a run in progress, instead of a run that is about to start. Default: `false`. */
  readonly running?: boolean;
  /**
   * The time limit of each check, and of each host's first answer, in milliseconds. Default: the limit that the check
   * sets, and 30 s for a first answer.
   */
  readonly timeoutMs?: number;
  /** The path of the base model's evaluation. Default: the latest evaluation that matches the recipe. */
  readonly baseRun?: string;
  /** Called when a check has finished. */
  readonly onCheck?: (check: Check, findings: readonly Finding[]) => void;
}

/** The result of {@linkcode preflight}. */
export interface DoctorReport {
  /** The findings, in the order of the checks. */
  readonly findings: readonly Finding[];
  /** Whether no finding is a `fail`. */
  readonly healthy: boolean;
}

/**
 * Contacts the hosts and runs the checks on those that answer.
 * @throws {ConfigError} If `only` or `skip` names an unknown check.
 * @throws The signal's reason, once it is aborted.
 */
export async function preflight(
  slime: ResolvedSlime,
  options: DoctorOptions,
): Promise<DoctorReport> {
  const { config } = slime;
  const chosen = chooseChecks(options);
  const { signal = new AbortController().signal } = options;
  const shells = options.hosts.map((host) => limitedShell(host));
  const answers = await contactHosts(shells, {
    signal,
    timeoutMs: options.timeoutMs ?? CONTACT_MS,
  });
  const hosts = answers.flatMap(({ host, skewMs }) =>
    skewMs === null ? [] : [host]
  );
  await using relay = relayOver(hosts, { config, signal });
  const context: CheckContext = {
    ...slime,
    hosts,
    places: options.hosts.filter((host) => isPlaced(host)).filter(({ name }) =>
      hosts.some((one) => one.name === name)
    ),
    servers: (options.servers ?? []).filter(({ name }) =>
      name !== THIS_MACHINE
    ),
    reach: (base) => relay?.urlFor(base) ?? base,
    facts: new Facts({
      config,
      head: hosts.find((host) => host === shells[0]),
      signal,
    }),
    env: options.env ?? Deno.env.get,
    runs: options.runs ?? "runs",
    baseRun: options.baseRun ?? null,
    rowFiles: options.rowFiles ?? [],
    hooks: await readHooks(),
    signal,
  };
  const findings = await Promise.all(
    [clocks(answers), ...chosen].map(async (check) => {
      const found = await examine(check, context, options.timeoutMs);
      options.onCheck?.(check, found);
      return found;
    }),
  );
  signal.throwIfAborted();
  const all = findings.flat().map((one) => readable(one, relay));
  return {
    findings: all,
    healthy: all.every(({ state }) => state !== "fail"),
  };
}

function isPlaced(host: Shell | PlacedShell): host is PlacedShell {
  return "place" in host;
}

/**
 * Opens a relay through the first host that can be reached, usually the head, if the recipe names hosts. In that case,
 * Ray and the router may be reachable only from there.
 */
function relayOver(
  [head]: readonly Shell[],
  { config, signal }: { config: SlimeConfig; signal: AbortSignal },
): Relay | undefined {
  const isHere = config.cluster.hosts.length === 0;
  return isHere || head === undefined
    ? undefined
    : openRelay(head, { python: config.paths.python, signal });
}

function readable(finding: Finding, relay: Relay | undefined): Finding {
  if (relay === undefined) return finding;
  const found = relay.readable(finding.found);
  return "fix" in finding
    ? { ...finding, found, fix: relay.readable(finding.fix) }
    : { ...finding, found };
}

/** The default time limit for a host's first answer in milliseconds. */
const CONTACT_MS = 30_000;

/**
 * Selects the checks to run.
 * @throws {ConfigError} If `only` or `skip` contains an unknown id.
 */
export function chooseChecks(
  { only = [], skip = [], running = false }: Pick<
    DoctorOptions,
    "only" | "skip" | "running"
  >,
): Check[] {
  const known = CHECKS.map(({ id }) => id);
  for (const id of [...only, ...skip]) {
    if (known.includes(id)) continue;
    throw new ConfigError(
      `There is no check "${id}"`,
      {
        hint: `did you mean "${nearest(id, known)}"? The checks are ${
          known.join(", ")
        }`,
      },
    );
  }
  const moment = running ? "running" : "before";
  return CHECKS.filter(({ id, when = "before" }) =>
    only.length > 0 ? only.includes(id) : when === "always" || when === moment
  ).filter(({ id }) => !skip.includes(id));
}
