/**
 * Creates hosts that are reached through a real sshd, each with its own address, home directory and PATH. They are in
 * network namespaces if the machine allows that, and otherwise on 127.0.0.x with separate ports.
 */

import { join } from "node:path";
import type { Host } from "../../train/slime/hosts/hosts_file.ts";
import { hasProgram, runProgram } from "./programs.ts";

/** Whether hosts with a real sshd can be created on this machine. */
export const HAS_SSHD = await hasProgram("/usr/sbin/sshd", "-?") &&
  await hasProgram("ssh", "-V") && await hasProgram("ssh-keygen", "-?");

/** A host behind a real sshd. */
export interface FakeHost extends AsyncDisposable {
  /** The entry of the host in hosts.yaml. */
  readonly host: Host;
  /** The path of the host's home directory. */
  readonly home: string;
  /** The first directory on the host's PATH. */
  readonly bin: string;
  /** The name of the host's network namespace, if it has one. */
  readonly namespace: string | undefined;
  /** Returns the command lines of the host's processes, except those of sshd. */
  processes(): Promise<string[]>;
  /** Stops sshd and all of its sessions. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Creates a host in a directory, with an sshd that accepts only the user key created with the host. */
export async function fakeHost(dir: string, name: string): Promise<FakeHost> {
  const root = join(dir, name);
  for (const part of ["home", "bin"]) {
    await Deno.mkdir(join(root, part), { recursive: true });
  }
  for (const key of ["host_key", "user_key"]) {
    await runProgram("ssh-keygen", [
      ...["-q", "-t", "ed25519", "-N", "", "-f", join(root, key)],
    ]);
  }
  const net = await namespace() ?? await loopback();
  const hostKey = await Deno.readTextFile(join(root, "host_key.pub"));
  const known = net.port === 22 ? net.address : `[${net.address}]:${net.port}`;
  await Deno.writeTextFile(join(root, "known_hosts"), `${known} ${hostKey}`);
  await Deno.copyFile(
    join(root, "user_key.pub"),
    join(root, "authorized_keys"),
  );
  await Deno.writeTextFile(join(root, "sshd_config"), sshdConfig(root, net));
  const host = new Sshd(root, { name, net });
  try {
    await host.start();
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
  return host;
}

function sshdConfig(root: string, { address, port }: Net): string {
  return `ListenAddress ${address}:${port}
HostKey ${join(root, "host_key")}
AuthorizedKeysFile ${join(root, "authorized_keys")}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
SetEnv PATH=${join(root, "bin")}:/usr/local/bin:/usr/bin:/bin HOME=${
    join(root, "home")
  } TAULAB_FAKE_HOST=${root}
`;
}

class Sshd implements FakeHost {
  readonly host: Host;
  readonly home: string;
  readonly bin: string;
  readonly namespace: string | undefined;
  readonly #root: string;
  readonly #net: Net;
  #child: Deno.ChildProcess | undefined;

  constructor(root: string, { name, net }: { name: string; net: Net }) {
    this.#root = root;
    this.#net = net;
    this.home = join(root, "home");
    this.bin = join(root, "bin");
    this.namespace = net.namespace;
    this.host = {
      name,
      ssh: {
        host: net.address,
        port: net.port,
        identity: join(root, "user_key"),
        options: {
          UserKnownHostsFile: join(root, "known_hosts"),
          GlobalKnownHostsFile: "/dev/null",
          StrictHostKeyChecking: "yes",
        },
      },
    };
  }

  async start(): Promise<void> {
    const [program, ...args] = [
      ...this.#net.exec,
      ...["/usr/sbin/sshd", "-D", "-e", "-f", join(this.#root, "sshd_config")],
    ] as [string, ...string[]];
    await ensureChrootDir();
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    await untilListening(child.stderr);
  }

  async processes(): Promise<string[]> {
    const mine = await this.#sessions();
    return mine.map(({ line }) => line);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const connections = await descendants(child.pid);
    child.kill("SIGTERM");
    await child.status;
    const left = (await this.#sessions()).map(({ pid }) => pid);
    await kill([...connections, ...left]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#net.remove();
  }

  /**
   * Returns the processes of sshd's sessions. A shell finds them by a marker that sshd adds to their environment,
   * because Deno itself may not read /proc.
   */
  async #sessions(): Promise<{ pid: number; line: string }[]> {
    const files = await shell(
      'grep -lzx "TAULAB_FAKE_HOST=$0" /proc/[0-9]*/environ',
      this.#root,
    );
    const pids = [...files.matchAll(/\d+/g)].map(([pid]) => pid);
    if (pids.length === 0) return [];
    const lines = await shell(`ps -o pid=,args= -p ${pids.join(",")}`);
    return [...lines.matchAll(/^ *(\d+) (.*)$/gm)]
      .map(([, pid, line]) => ({ pid: Number(pid), line: line! }));
  }
}

/** Waits until sshd listens, and continues to read its stderr, so that sshd never blocks on a full pipe. */
async function untilListening(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("Server listening")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`sshd did not start: ${said}`);
    said += value;
  }
  void (async () => {
    while (!(await reader.read()).done);
  })();
}

/**
 * Returns the ids of all descendants of a process. The descendants of sshd are its connections and the commands that
 * run in them.
 */
async function descendants(root: number): Promise<number[]> {
  const all = [...(await shell("ps -eo pid=,ppid=")).matchAll(/(\d+) +(\d+)/g)]
    .map(([, pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
  const below = (of: number): number[] =>
    all.filter(({ parent }) => parent === of)
      .flatMap(({ pid }) => [pid, ...below(pid)]);
  return below(root);
}

async function kill(pids: readonly number[]): Promise<void> {
  if (pids.length > 0) await shell(`kill -KILL ${pids.join(" ")}`);
}

/** Runs a shell script and returns its output. Ignores errors, because processes may have ended in the meantime. */
function shell(script: string, ...args: string[]): Promise<string> {
  return runProgram("sh", ["-c", `{ ${script}; } 2>/dev/null || :`, ...args]);
}

/**
 * Creates `/run/sshd`, the directory to which sshd confines its unprivileged code. sshd requires it only if it runs as
 * root.
 */
async function ensureChrootDir(): Promise<void> {
  await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 })
    .catch(() => {});
}

/**
 * Connects two hosts through a network that excludes this machine.
 * @returns The addresses of the hosts in that network. Without namespaces, both are the address of this machine.
 */
export async function wireHosts(
  one: FakeHost,
  other: FakeHost,
): Promise<[string, string]> {
  const [a, b] = [one.namespace, other.namespace];
  if (a === undefined || b === undefined) {
    const [own = ""] = (await shell("hostname -I")).split(" ");
    return [own, own];
  }
  const id = crypto.randomUUID().slice(0, 8);
  const net = `10.${100 + byte() % 50}.${byte()}`;
  await runProgram("ip", [
    ...["link", "add", `a${id}`, "netns", a, "type", "veth"],
    ...["peer", "name", `b${id}`, "netns", b],
  ]);
  const ends = [[a, `a${id}`, 1], [b, `b${id}`, 2]] as const;
  for (const [namespace, device, last] of ends) {
    const within = ["-n", namespace];
    await runProgram("ip", [
      ...[...within, "addr", "add", `${net}.${last}/30`, "dev", device],
    ]);
    await runProgram("ip", [...within, "link", "set", device, "up"]);
  }
  return [`${net}.1`, `${net}.2`];
}

interface Net {
  readonly address: string;
  readonly port: number;
  readonly namespace: string | undefined;
  /** The command prefix that runs a command in the namespace. */
  readonly exec: readonly string[];
  remove(): Promise<void>;
}

/**
 * Creates a network namespace that is connected to the current namespace. Returns `undefined` if that is not allowed.
 */
async function namespace(): Promise<Net | undefined> {
  const id = crypto.randomUUID().replaceAll("-", "").slice(0, 10);
  const name = `tl${id}`;
  const net = `10.${200 + byte() % 50}.${byte()}.${(byte() % 64) * 4}`;
  const address = (last: number) =>
    net.replace(/\d+$/, (base) => String(Number(base) + last));
  const commands = [
    ["netns", "add", name],
    ["link", "add", `h${id}`, "type", "veth", "peer", "name", `g${id}`],
    ["link", "set", `g${id}`, "netns", name],
    ["addr", "add", `${address(1)}/30`, "dev", `h${id}`],
    ["link", "set", `h${id}`, "up"],
    ["-n", name, "addr", "add", `${address(2)}/30`, "dev", `g${id}`],
    ["-n", name, "link", "set", `g${id}`, "up"],
    ["-n", name, "link", "set", "lo", "up"],
  ];
  async function remove(): Promise<void> {
    await runProgram("ip", ["netns", "del", name]).catch(() => {});
  }
  try {
    for (const command of commands) await runProgram("ip", command);
    await runProgram("ip", ["netns", "exec", name, "true"]);
  } catch {
    await remove();
    return undefined;
  }
  const exec = ["ip", "netns", "exec", name];
  return { address: address(2), port: 22, namespace: name, exec, remove };
}

function loopback(): Promise<Net> {
  const address = `127.0.${byte()}.${2 + byte() % 250}`;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const remove = () => Promise.resolve();
  return Promise.resolve({
    address,
    port,
    namespace: undefined,
    exec: [],
    remove,
  });
}

function byte(): number {
  return crypto.getRandomValues(new Uint8Array(1))[0]!;
}
