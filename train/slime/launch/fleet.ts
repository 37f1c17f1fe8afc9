/**
 * The hosts of a run as a launch reaches them: shells by name, and Ray's Jobs interface, which listens on the
 * head's loopback, through ssh where the head is another machine.
 */

import { RayError } from "../../../env/errors.ts";
import { poll, sleep } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { isLoopback } from "../../../env/serve/loopback.ts";
import { type Host, hostAddress, readHosts } from "../hosts/hosts_file.ts";
import { localShell } from "../hosts/local_shell.ts";
import type { Shell } from "../hosts/shell.ts";
import { sshShell, sshTarget } from "../hosts/ssh_shell.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import { RAY_TOKEN, RayJobs } from "./ray_jobs.ts";

/** The hosts of a run. Held by `await using`. */
export interface Fleet extends AsyncDisposable {
  /** Of all hosts, the head first; of this machine where the recipe names none. */
  readonly shells: readonly Shell[];
  /** @throws {RayError} If no host has this name. */
  shellOf(host: string): Shell;
  /** Ray's Jobs interface, whose address is as the head itself reaches it. */
  jobsOf(
    ray: { readonly jobsUrl: string; readonly head: string },
    options?: CallOptions,
  ): Promise<RayJobs>;
}

/** Makes a fleet of hosts of `hosts.yaml`; none is this machine alone. */
export function openFleet(
  hosts: readonly Host[],
  { env }: { readonly env: (name: string) => string | undefined },
): Fleet {
  const resources = new AsyncDisposableStack();
  const here = localShell();
  const remote = hosts.map((host) => resources.use(sshShell(host)));
  return {
    shells: remote.length === 0 ? [here] : remote,
    shellOf(name) {
      const shell = [here, ...remote].find((one) => one.name === name);
      if (shell !== undefined) return shell;
      throw new RayError(
        `The run was launched on "${name}", which hosts.yaml does not name any more`,
        { kind: "refused", hint: "add it there again" },
      );
    },
    async jobsOf({ jobsUrl, head }, options = {}) {
      const token = env(RAY_TOKEN);
      const host = hosts.find(({ name }) => name === head);
      if (host === undefined) return new RayJobs({ url: jobsUrl, token });
      const tunnel = resources.use(new Tunnel(host, new URL(jobsUrl)));
      await tunnel.open(options);
      return new RayJobs({ url: tunnel.url, token });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The fleet of a recipe. */
export interface RecipeFleet extends Fleet {
  /** The recipe with the head's address as hosts.yaml has it, where the recipe leaves it at loopback. */
  readonly slime: ResolvedSlime;
}

/**
 * Opens the hosts that a recipe names; connects with the first command.
 * @param options.hostsFile Path of a hosts.yaml.
 * @param options.env Reads a variable of the environment. Default: `Deno.env.get`.
 * @throws {ConfigError} If the file is not there, or lacks a host that the recipe names.
 */
export async function openRecipeFleet(
  slime: ResolvedSlime,
  { hostsFile, env = Deno.env.get }: {
    readonly hostsFile: string;
    readonly env?: (name: string) => string | undefined;
  },
): Promise<RecipeFleet> {
  const { config } = slime;
  const hosts = await readHosts(hostsFile, config.cluster.hosts);
  const [head, ...others] = hosts;
  const fleet = openFleet(hosts, { env });
  if (
    head === undefined || others.length === 0 ||
    !isLoopback(config.cluster.address)
  ) return { ...fleet, slime };
  const cluster = { ...config.cluster, address: hostAddress(head) };
  return { ...fleet, slime: { ...slime, config: { ...config, cluster } } };
}

const OPEN_TIMEOUT_MS = 30_000;
const POLL_MS = 100;
const REOPEN_MS = 2_000;

/** A port of this machine that leads to one that the head reaches; opened again when the connection is lost. */
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
      `ssh opens no way to ${this.#to.host} on "${this.#host.name}"`,
      {
        kind: "unreachable",
        hint: `check that "ssh ${
          sshTarget(this.#host).join(" ")
        }" works without a question`,
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
