/** Defines the hosts that run episode servers, and how this machine starts and reaches the servers there. */

import type { CallOptions } from "../../../env/types.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import {
  type ServiceProcess,
  type ServiceRecord,
  type ServiceSpec,
  startService,
} from "./server_process.ts";

/** The settings of a server that depend on its host. */
export interface HostSpec
  extends Pick<ServiceSpec, "recipePath" | "overrides" | "record"> {
  /** The directory for the servers' logs: `serve-0.log`, `serve-1.log` and so on. */
  readonly logDir: string;
}

/** The result of starting a server. */
export interface StartedServer {
  readonly record: ServiceRecord;
  /** The server's process, if it runs on this machine. */
  readonly process?: ServiceProcess;
}

/** A host that runs episode servers. */
export interface ServerHost {
  /** The host's name in hosts.yaml, or `this machine`. */
  readonly name: string;
  /** The address that the servers listen on, which slime's hosts use to reach them. */
  readonly address: string;
  /** The settings of servers on this host. Default: the settings that were passed to `startServices`. */
  readonly spec?: HostSpec;
  /**
   * Starts a server and waits until it answers.
   * @throws {HostError} If the server exits, is not ready in time, or has a different dataset from the run's.
   */
  start(
    spec: ServiceSpec,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<StartedServer>;
  /** Turns a URL on the host into a URL that this machine can reach. */
  reach(url: string, options?: CallOptions): Promise<string>;
  /**
   * Checks on the host itself whether a server is running, because the server may be running even if this machine
   * cannot reach it. Returns `true` if that cannot be determined.
   */
  isRunning?(record: ServiceRecord): Promise<boolean>;
  /** Kills a server that no longer answers. */
  kill?(record: ServiceRecord): Promise<void>;
}

/** Creates a {@linkcode ServerHost} for this machine. */
export function localServers(address: string): ServerHost {
  return {
    name: THIS_MACHINE,
    address,
    async start(spec, options) {
      const process = await startService(spec, options);
      return { record: process.record, process };
    },
    reach: (url) => Promise.resolve(url),
  };
}
