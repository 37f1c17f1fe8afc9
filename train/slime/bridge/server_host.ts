/** Where episode servers run, and how this machine reaches them: here, or on a host in its place. */

import type { CallOptions } from "../../../env/types.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import {
  type ServiceProcess,
  type ServiceRecord,
  type ServiceSpec,
  startService,
} from "./server_process.ts";

/** What of a server depends on the host that it runs on. */
export interface HostSpec
  extends Pick<ServiceSpec, "recipePath" | "overrides" | "record"> {
  /** Holds `serve-0.log` and so on. */
  readonly logDir: string;
}

/** A server that was started. */
export interface StartedServer {
  readonly record: ServiceRecord;
  /** Where it is a process of this machine. */
  readonly process?: ServiceProcess;
}

/** A host of episode servers. */
export interface ServerHost {
  /** By its name in hosts.yaml; `this machine`. */
  readonly name: string;
  /** Where servers listen, as slime's hosts reach it. */
  readonly address: string;
  /** Paths there. Default: those of this machine. */
  readonly spec?: HostSpec;
  /** Starts one and waits until it answers. @throws {HostError} If it does not. */
  start(
    spec: ServiceSpec,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<StartedServer>;
  /** A URL as this machine reaches it. */
  reach(url: string, options?: CallOptions): Promise<string>;
  /** Asks on the host itself, where this machine's way there may be what is broken; true where nobody can say. */
  vouch?(record: ServiceRecord): Promise<boolean>;
  /** Ends one that does not listen any more. */
  kill?(record: ServiceRecord): Promise<void>;
}

/** This machine. */
export function serversHere(address: string): ServerHost {
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
