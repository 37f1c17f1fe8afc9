/** Runs commands on a host over ssh, using this machine's `ssh` and the user's ssh config. */

import { join } from "node:path";
import { HostError } from "../../../env/errors.ts";
import { retry, type Sleep } from "../../../env/retry.ts";
import { containerFault } from "./container_fault.ts";
import { type LostCommand, runPiped } from "./_piped_shell.ts";
import { type SshFault, sshFault } from "./_ssh_fault.ts";
import { BOOT } from "./_wire.ts";
import type { Host } from "./hosts_file.ts";
import { localShell } from "./local_shell.ts";
import {
  outputOf,
  quote,
  quoteWords,
  type Shell,
  type ShellCommand,
  type ShellOptions,
  type ShellOutput,
} from "./shell.ts";

/**
 * The retries of a failed connection: one after 0.5 s and one after 2 s. A command that has started is never run twice.
 */
const RETRY = { retries: 2, backoffMs: 500, factor: 4 } as const;

/** Options for {@linkcode sshShell}. */
export interface SshOptions {
  /** The time limit in seconds for a host to answer. Default: 10. */
  readonly connectTimeoutS?: number;
  /** Waits between retries. Default: a real timer. */
  readonly sleep?: Sleep;
}

/** A shell on another host. All commands share one connection, and disposing of the shell closes it. */
export interface SshShell extends Shell, AsyncDisposable {
  /**
   * Returns the shell of a container on the host, over the same connection.
   * @param words The prefix of commands that run in the container, such as `docker exec -i NAME`.
   */
  within(words: readonly string[]): Shell;
}

/** Creates a shell on another host. The connection is made by the first command. */
export function sshShell(host: Host, options: SshOptions = {}): SshShell {
  return new Ssh(host, options);
}

/** Returns the arguments that make `ssh` connect to a host, such as `-p 2222 -l me gpu1`. */
export function sshTarget({ name, ssh }: Host): string[] {
  return [
    ...ssh.port === undefined ? [] : ["-p", String(ssh.port)],
    ...ssh.identity === undefined
      ? []
      : ["-i", ssh.identity, "-o", "IdentitiesOnly=yes"],
    ...Object.entries(ssh.options).flatMap((pair) => ["-o", pair.join("=")]),
    ...ssh.user === undefined ? [] : ["-l", ssh.user],
    ssh.host ?? name,
  ];
}

class Ssh implements SshShell {
  readonly name: string;
  readonly #host: Host;
  readonly #connectTimeoutS: number;
  readonly #sleep: Sleep | undefined;
  #socketDir: Promise<string> | undefined;

  constructor(host: Host, options: SshOptions) {
    this.name = host.name;
    this.#host = host;
    this.#connectTimeoutS = options.connectTimeoutS ?? 10;
    this.#sleep = options.sleep;
  }

  run(
    command: ShellCommand,
    options: ShellOptions = {},
  ): Promise<ShellOutput> {
    return this.#run([], command, options);
  }

  within(words: readonly string[]): Shell {
    return {
      name: this.name,
      run: (command, options = {}) => this.#run(words, command, options),
      describe: ({ script, cwd }) => {
        const all = cwd === undefined
          ? script
          : `cd ${quote(cwd)} && ${script}`;
        const inner = quoteWords([...words, "sh", "-c", all]);
        return this.describe({ script: inner });
      },
    };
  }

  async #run(
    within: readonly string[],
    command: ShellCommand,
    options: ShellOptions,
  ): Promise<ShellOutput> {
    const target = quoteWords(sshTarget(this.#host));
    const faultOf = (
      lost: LostCommand,
    ): SshFault & { readonly isDown?: boolean } => {
      const fault = containerFault(lost, within);
      return fault ? { ...fault, transient: false } : sshFault(lost, target);
    };
    const result = await retry(() => this.#try(within, command, options), {
      ...RETRY,
      signal: options.signal,
      sleep: this.#sleep,
      isRetried: () => false,
      isFailure: (result) => !("code" in result) && faultOf(result).transient,
    });
    if ("code" in result) return result;
    throw this.#error(faultOf(result), result);
  }

  describe({ script, cwd }: ShellCommand): string {
    const there = cwd === undefined ? script : `cd ${quote(cwd)} && ${script}`;
    return `ssh ${quoteWords(sshTarget(this.#host))} ${quote(there)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socketDir === undefined) return;
    const dir = await this.#socketDir;
    this.#socketDir = undefined;
    await new Deno.Command("ssh", {
      args: [...socketOptions(dir), "-O", "exit", ...sshTarget(this.#host)],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output().catch(() => {}); // Without ssh, there is no connection.
    await localShell().run({ script: `rm -rf ${quote(dir)}` });
  }

  async #try(
    within: readonly string[],
    command: ShellCommand,
    options: ShellOptions,
  ) {
    options.signal?.throwIfAborted();
    const dir = await (this.#socketDir ??= socketDir());
    const target = sshTarget(this.#host);
    const words = [ // ssh uses the first value of a repeated option
      "ssh",
      "-T",
      ...["-o", "BatchMode=yes", "-o", "LogLevel=ERROR"],
      ...["-o", "ControlMaster=auto", "-o", "ControlPersist=60"],
      ...socketOptions(dir),
      ...target.slice(0, -1),
      ...["-o", `ConnectTimeout=${this.#connectTimeoutS}`],
      ...["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"],
      ...target.slice(-1),
    ];
    return await runPiped(
      { words, boot: [quoteWords([...within, "sh", "-c", BOOT])] },
      command,
      options,
    );
  }

  #error(
    { reason, hint, isDown = false }: SshFault & { readonly isDown?: boolean },
    { said }: LostCommand,
  ): HostError {
    const last = said.split("\n").slice(-3).join("\n");
    return new HostError(
      `${this.name}: ${reason}${last === "" ? "" : `\n${last}`}`,
      { hint, isDown },
    );
  }
}

/** Creates a temporary directory with `mktemp`, so that tasks need no permission to write to it. */
async function socketDir(): Promise<string> {
  const what = "Cannot create a temporary directory on this machine";
  const script = "mktemp -d";
  return (await outputOf(localShell(), { script, what })).trim();
}

/**
 * Returns ssh's options for the socket of the shared connection. The path is short, because the path of a socket is
 * limited to about 100 characters.
 */
function socketOptions(dir: string): string[] {
  return ["-o", `ControlPath=${join(dir, "s")}`];
}
