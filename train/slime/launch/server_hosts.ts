/** Determines the hosts of a run's episode servers from the plan or from the record of running servers. */

import { dataOn } from "../setup/host_taulab.ts";
import { basename, join } from "node:path";
import { join as joinPosix } from "node:path/posix";
import { remoteServers } from "../bridge/remote_servers.ts";
import {
  type HostSpec,
  localServers,
  type ServerHost,
} from "../bridge/server_host.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { serverOverrides, serviceVariables } from "../plan/plan_cluster.ts";
import type { Fleet } from "./fleet.ts";
import type { SlimeRun } from "./slime_run.ts";

/** Where a server runs and listens. */
export interface ServerSpot {
  /** The name of the host. */
  readonly host: string;
  /** The address that the server listens on, at which slime's hosts reach it. */
  readonly address: string;
}

/** Returns the directory on the hosts that contains a run's files. */
export function directoryOn({ config, path }: SlimeRun): string {
  return joinPosix(config.paths.runs, basename(path));
}

/**
 * Returns the settings of episode servers on this machine.
 * @param engines The addresses of the run's hosts, where engines may run.
 */
export function localServerSpec(
  run: SlimeRun,
  engines: readonly string[],
): HostSpec {
  return {
    recipePath: join(run.path, "config.yaml"),
    overrides: serverOverrides(run.config, { data: null, engines }),
    record: run.path,
    logDir: run.logs,
  };
}

/**
 * Returns the {@linkcode ServerHost} that runs an episode server on a host, or on this machine.
 * @throws {RayError} If the host is no longer in hosts.yaml.
 */
export function serverHost(
  { host, address }: ServerSpot,
  { run, fleet, env, engines }: {
    readonly run: SlimeRun;
    readonly fleet: Fleet;
    readonly env: (name: string) => string | undefined;
    /** The addresses of the run's hosts, where engines may run. */
    readonly engines: readonly string[];
  },
): ServerHost {
  if (host === THIS_MACHINE) return localServers(address);
  const shell = fleet.shellOf(host);
  const directory = directoryOn(run);
  const values = serviceVariables(run.config, address).flatMap((name) => {
    const value = env(name);
    return value ? [[name, value] as const] : [];
  });
  return remoteServers({
    shell,
    address,
    taulab: shell.taulab,
    spec: {
      recipePath: joinPosix(directory, "config.yaml"),
      overrides: serverOverrides(run.config, {
        data: dataOn(shell.taulab, run.config.data.source),
        engines,
      }),
      record: directory,
      logDir: joinPosix(directory, "logs"),
    },
    env: Object.fromEntries(values),
    reach: (url, options) => fleet.reach(host, url, options),
    fingerprint: run.info.dataset.fingerprint,
  });
}
