/**
 * Gives access to the hosts of a run: a shell on each host, and Ray's Jobs API on the head. If the head is
 * another machine, Ray is reached through an ssh tunnel.
 */

import { HostError, RayError } from "../../../env/errors.ts";
import { poll, sleep } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { readEngineHost } from "../../../env/serve/engine_hosts.ts";
import { isLoopback } from "../../../env/serve/loopback.ts";
import { openHost } from "../hosts/host_shells.ts";
import {
  type Host,
  hostAddress,
  readHosts,
  readThisHost,
  THIS_HOST,
} from "../hosts/hosts_file.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { sshTarget } from "../hosts/ssh_shell.ts";
import { reportOf } from "../setup/container_report.ts";
import { type PlacedShell, placedShell } from "../setup/placed_shell.ts";
import { hostNames } from "../plan/plan_cluster.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { RAY_TOKEN, RayJobs } from "./ray_jobs.ts";

/** Access to the hosts of a run. Declare it with `await using`. */
export interface Fleet extends AsyncDisposable {
  /**
   * Shells on all hosts of the cluster, starting with the head. If the recipe names no hosts, this machine is the only
   * one.
   */
  readonly shells: readonly PlacedShell[];
  /**
   * Returns the shell of a host.
   * @throws {RayError} If no host has this name.
   */
  shellOf(host: string): PlacedShell;
  /**
   * Returns a URL through which this machine can reach a URL on a host. If the host is another machine, an ssh tunnel
   * is opened, or reused if one is open.
   * @throws {RayError} If ssh cannot open the tunnel, or the host's container has a separate network.
   */
  reach(host: string, url: string, options?: CallOptions): Promise<string>;
  /**
   * Returns all addresses of the cluster's hosts: the addresses in hosts.yaml, and the addresses that each host
   * reports. Empty if the recipe names no hosts.
   */
  addresses(options?: CallOptions): Promise<string[]>;
  /**
   * Returns a client of Ray's Jobs API, which is at `jobsUrl` on the head. `setBy` names what sets the URL, for
   * hints; default: the recipe's keys.
   */
  jobsOf(
    ray: {
      readonly jobsUrl: string;
      readonly head: string;
      readonly setBy?: string;
    },
    options?: CallOptions,
  ): Promise<RayJobs>;
}

/** Options for {@linkcode openFleet}. */
export interface FleetOptions {
  readonly env: (name: string) => string | undefined;
  /** This machine's entry in hosts.yaml. Default: none. */
  readonly here?: Host | undefined;
  /** Hosts outside the cluster that run episode servers. Default: none. */
  readonly servers?: readonly Host[];
}

/**
 * Opens shells on this machine and on hosts of `hosts.yaml`.
 * @param hosts The hosts of the cluster, starting with the head; empty if this machine is the cluster's only host.
 */
export function openFleet(
  hosts: readonly Host[],
  { env, here, servers = [] }: FleetOptions,
): Fleet {
  const resources = new AsyncDisposableStack();
  const open = (host: Host | undefined, entry = host) =>
    placedShell(resources.use(openHost(host)), entry);
  const own = open(undefined, here);
  const remote = hosts.map((host) => open(host));
  const others = servers.map((host) => open(host));
  const known = [...hosts, ...servers];
  const ways = new Map<string, Promise<string>>();
  function shellOf(name: string): PlacedShell {
    const shell = [own, ...remote, ...others].find((one) => one.name === name);
    if (shell !== undefined) return shell;
    throw new RayError(
      `The run was launched on "${name}", which is no longer in hosts.yaml`,
      { kind: "refused", hint: `add "${name}" to hosts.yaml again` },
    );
  }
  async function openWay(
    name: string,
    url: string,
    options: CallOptions,
  ): Promise<string> {
    await requireHostNetwork(shellOf(name), options);
    const host = known.find((one) => one.name === name);
    if (host === undefined) return url;
    const tunnel = resources.use(new Tunnel(host, new URL(url)));
    await tunnel.open(options);
    return tunnel.url;
  }
  async function reach(
    name: string,
    url: string,
    options: CallOptions = {},
  ): Promise<string> {
    const key = `${name} ${url}`;
    const way = ways.get(key) ?? openWay(name, url, options);
    ways.set(key, way);
    way.catch(() => ways.delete(key)); // the next call retries
    return await way;
  }
  return {
    shells: remote.length === 0 ? [own] : remote,
    shellOf,
    reach,
    async addresses(options = {}) {
      const said = await Promise.all(
        remote.map((shell) => reportedAddresses(shell, options)),
      );
      return [...new Set([...hosts.map(hostAddress), ...said.flat()])];
    },
    async jobsOf({ jobsUrl, head, setBy }, options = {}) {
      const url = await reach(head, jobsUrl, options);
      return new RayJobs({
        url,
        token: env(RAY_TOKEN),
        ...setBy !== undefined && { setBy },
      });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/**
 * Returns the addresses that a host reports; empty if it reports none or cannot be reached. This is not an error here:
 * if an address is missing, the episode servers refuse requests with an error that names the flag to set.
 */
async function reportedAddresses(
  shell: PlacedShell,
  { signal }: CallOptions,
): Promise<string[]> {
  try {
    const script = "hostname -I 2>/dev/null || :";
    const { stdout } = await shell.run({ script }, { signal });
    return stdout.split(/\s+/).filter((word) => readEngineHost(word) !== null);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

/**
 * Checks that the container of a shell, if there is one, uses its host's network. Ray listens on loopback, which in
 * another network can only be reached from inside the container.
 * @throws {RayError} If the container has a separate network.
 */
async function requireHostNetwork(
  shell: PlacedShell,
  options: CallOptions,
): Promise<void> {
  const place = await shell.place(options);
  if (place.kind !== "container") return;
  const { outside, name } = shell;
  const { network } = await reportOf(place, { outside, ...options }).catch(
    (error: unknown) => {
      // If the container has stopped, Ray has too, and the request to Ray will report it.
      if (error instanceof HostError && error.isDown) {
        return { network: "host" };
      }
      throw error;
    },
  );
  if (network === "host") return;
  throw new RayError(
    `Ray in the container "${place.name}" of "${name}" cannot be reached: its network is "${network}", not its host's network`,
    {
      kind: "refused",
      hint:
        'create the container again with --network host, as "deno task setup" does',
    },
  );
}

/** Access to the hosts of a recipe. */
export interface RecipeFleet extends Fleet {
  /**
   * The recipe. If it names several hosts and its head address is loopback, that address is replaced with the head's
   * address from hosts.yaml.
   */
  readonly slime: ResolvedSlime;
  /** Shells on the hosts that run episode servers; empty if the recipe lists running servers. */
  readonly servers: readonly PlacedShell[];
}

/**
 * Opens shells on the hosts that a recipe names. Connections are made by the first commands.
 * @param options.hostsFile The path of a hosts.yaml.
 * @param options.env Reads an environment variable. Default: `Deno.env.get`.
 * @throws {ConfigError} If the file is invalid, or if the recipe names a host and the file does not exist or lacks the
 * host.
 */
export async function openRecipeFleet(
  slime: ResolvedSlime,
  { hostsFile, env = Deno.env.get }: {
    readonly hostsFile: string;
    readonly env?: (name: string) => string | undefined;
  },
): Promise<RecipeFleet> {
  const { config } = slime;
  const { cluster } = config;
  const names = hostNames(config);
  const all = await readHosts(hostsFile, names);
  const hosts = all.slice(0, cluster.hosts.length);
  const here = await readThisHost(hostsFile);
  const servers = all.slice(hosts.length);
  const fleet = openFleet(hosts, { env, here, servers });
  const opened = { ...fleet, servers: serversOf(config, fleet) };
  const [head, ...others] = hosts;
  if (
    head === undefined || others.length === 0 || !isLoopback(cluster.address)
  ) return { ...opened, slime };
  const reached = { ...cluster, address: hostAddress(head) };
  return {
    ...opened,
    slime: { ...slime, config: { ...config, cluster: reached } },
  };
}

function serversOf({ bridge }: SlimeConfig, fleet: Fleet): PlacedShell[] {
  if (bridge.services.length > 0) return [];
  return bridge.hosts.length === 0
    ? fleet.shells.slice(0, 1)
    : bridge.hosts.map((name) =>
      fleet.shellOf(name === THIS_HOST ? THIS_MACHINE : name)
    );
}

const OPEN_TIMEOUT_MS = 30_000;
const POLL_MS = 100;
const REOPEN_MS = 2_000;

/** A local port that ssh forwards to an address on a host's network. If ssh ends, it is started again. */
class Tunnel implements AsyncDisposable {
  readonly #host: Host;
  readonly #to: URL;
  readonly #port = freePort();
  readonly #end = new AbortController();
  #child: Deno.ChildProcess | undefined;
  #keeping: Promise<void> | undefined;

  constructor(host: Host, to: URL) {
    this.#host = host;
    this.#to = to;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async open({ signal }: CallOptions): Promise<void> {
    this.#keeping = this.#keep();
    const isOpen = await poll(
      async () => await isListening(this.#port) || undefined,
      { everyMs: POLL_MS, timeoutMs: OPEN_TIMEOUT_MS, signal },
    );
    if (isOpen) return;
    throw new RayError(
      `ssh cannot forward a port to ${this.#to.host} on "${this.#host.name}"`,
      {
        kind: "unreachable",
        hint: `check that "ssh ${
          sshTarget(this.#host).join(" ")
        }" works without prompting`,
      },
    );
  }

  async #keep(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      this.#child = new Deno.Command("ssh", {
        args: [
          "-N",
          ...["-L", `127.0.0.1:${this.#port}:${this.#to.host}`],
          ...["-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"],
          ...["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"],
          ...sshTarget(this.#host),
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
        detached: true,
      }).spawn();
      await this.#child.status;
      this.#child = undefined;
      await sleep(REOPEN_MS, { signal }).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#child?.kill("SIGTERM");
    await this.#keeping;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
