/** Checks that the ports for Ray, the router, the engines and the ranks are free. */

import type { Shell } from "../../hosts/shell.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  verdict,
  warn,
} from "../check.ts";
import { RayError } from "../../../../env/errors.ts";
import { readListeners } from "../listeners.ts";
import { runningVersion } from "./ray.ts";

/** A port that the run needs, and its purpose. */
interface WantedPort {
  readonly port: number;
  readonly of: string;
  /** The recipe key that sets the port. */
  readonly key: string;
  /** Whether a running Ray cluster may already use the port. */
  readonly isRays: boolean;
}

/**
 * The ranges in which slime searches for free ports for engines and ranks. slime chooses the next free port, but
 * another process may take that port before slime uses it.
 * @see slime `slime/ray/rollout.py` and `slime/ray/train_actor.py` at 624b824.
 */
const RANGES = [
  { from: 15_000, to: 15_999, of: "engines" },
  { from: 20_000, to: 21_999, of: "ranks" },
] as const;

/**
 * The ports that Ray assigns to its workers. Ray does not start if another of its services is set to one of these
 * ports.
 */
const RAY_WORKERS = { from: 10_002, to: 19_999 };

/** The recipe key of the port that Ray uses on every host. The other wanted ports are only used on the head. */
const EACH_HOSTS = "cluster.agentPort";

/** The `ports` check. */
export const check: Check = {
  id: "ports",
  order: 70,
  title: "the ports for Ray, the router, the engines and the ranks are free",
  async run(context) {
    const { hosts } = context;
    const rayRuns = !(await runningVersion(context) instanceof RayError);
    return await onEachHost(
      hosts,
      (host) =>
        lookAt(host, {
          context,
          isHead: host === hosts[0],
          rayRuns,
        }),
    );
  },
};

function wantedPorts({ cluster, engine }: SlimeConfig): WantedPort[] {
  return [
    {
      port: cluster.port,
      of: "Ray's head",
      key: "cluster.port",
      isRays: true,
    },
    {
      port: cluster.dashboardPort,
      of: "Ray's dashboard",
      key: "cluster.dashboardPort",
      isRays: true,
    },
    {
      port: cluster.agentPort,
      of: "Ray's agent",
      key: EACH_HOSTS,
      isRays: true,
    },
    {
      port: engine.routerPort,
      of: "the router",
      key: "engine.routerPort",
      isRays: false,
    },
  ];
}

async function lookAt(
  host: Shell,
  { context: { config, signal }, isHead, rayRuns }: {
    context: CheckContext;
    isHead: boolean;
    rayRuns: boolean;
  },
): Promise<readonly Observed[]> {
  const listeners = await readListeners(host, { signal });
  const held = new Set(listeners.map(({ port }) => port));
  const holders = new Map(listeners.map(({ port, holder }) => [port, holder]));
  const wanted = wantedPorts(config).filter(({ key }) =>
    isHead || key === EACH_HOSTS
  );
  const taken = wanted.filter(({ port, isRays }) =>
    held.has(port) && !(isRays && rayRuns)
  ).map((one) => takenFault(one, holders.get(one.port)));
  return verdict(
    [
      ...doubles(wanted),
      ...(isHead ? rayClashes(wanted) : []),
      ...taken,
      ...rangeFaults(held),
    ],
    found(wanted, rayRuns),
  );
}

function takenFault(
  { port, of, key, isRays }: WantedPort,
  holder: string | undefined,
): Observed {
  const way = isRays
    ? ', with "ray stop" if it belongs to a failed Ray cluster'
    : "";
  return fail(
    `port ${port}, for ${of}, is in use by ${holder ?? "another process"}`,
    `end that process if it is yours${way}, or set ${key} to another port`,
  );
}

function doubles(wanted: readonly WantedPort[]): Observed[] {
  return [...Map.groupBy(wanted, ({ port }) => port)].flatMap(([port, all]) =>
    all.length < 2 ? [] : [fail(
      `port ${port} is set for ${all.map(({ of }) => of).join(" and ")}`,
      `set ${all.at(-1)?.key} to another port`,
    )]
  );
}

function rayClashes(wanted: readonly WantedPort[]): Observed[] {
  const { from, to } = RAY_WORKERS;
  return wanted.filter(({ port }) => port >= from && port <= to).map((
    { port, of, key, isRays },
  ) =>
    (isRays ? fail : warn)(
      `port ${port}, for ${of}, is in the range that Ray assigns to its workers`,
      `set ${key} to a port outside the range from ${from} to ${to}`,
    )
  );
}

function rangeFaults(held: ReadonlySet<number>): Observed[] {
  return RANGES.flatMap(({ from, to, of }) => {
    const taken = [...held].filter((port) => port >= from && port <= to);
    if (taken.length === 0) return [];
    return [warn(
      `${taken.length === 1 ? "port" : "ports"} ${
        taken.sort((a, b) => a - b).slice(0, 8).join(", ")
      } ${
        taken.length === 1 ? "is" : "are"
      } in use, so slime assigns the next free ports from ${from} on to its ${of}, which may cause a conflict`,
      "end the processes of an earlier run",
    )];
  });
}

function found(wanted: readonly WantedPort[], rayRuns: boolean): string {
  const free = wanted.filter(({ isRays }) => !(isRays && rayRuns));
  const ranges = RANGES.map(({ from }) => `${from}+`);
  const list = [...free.map(({ port }) => port), ...ranges].join(", ");
  return rayRuns
    ? `${list} are free; the running Ray already uses its own ports`
    : `${list} are free`;
}
