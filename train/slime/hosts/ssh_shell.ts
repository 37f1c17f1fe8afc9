/** Commands on a host behind ssh, by the `ssh` that is here and the user's own config of it. */

import { join } from "node:path";
import { HostError } from "../../../env/errors.ts";
import { retry, type Sleep } from "../../../env/retry.ts";
import { containerFault } from "./container_fault.ts";
import { type Lost, runPiped } from "./_piped_shell.ts";
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

/** Of connecting: after 0.5 s and after 2 s. A command that began is never run twice. */
const RETRY = { retries: 2, backoffMs: 500, factor: 4 } as const;

/** What an {@linkcode sshShell} is made with. */
export interface SshOptions {
  /** Seconds until a host that does not answer is given up. Default 10. */
  readonly connectTimeoutS?: number;
  /** Default: by the clock. */
  readonly sleep?: Sleep;
}

/** A shell on a host. Closing it ends the connection that its commands share. */
export interface SshShell extends Shell, AsyncDisposable {
  /** The shell of a container there, over the same connection. @param words Run a command in it: `docker exec -i NAME`. */
  within(words: readonly string[]): Shell;
}

/** A shell on a host; connects with the first command. */
export function sshShell(host: Host, options: SshOptions = {}): SshShell {
  return new Ssh(host, options);
}

/** What follows `ssh` to get to a host: `-p 2222 me@gpu1`. */
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
    const faultOf = (lost: Lost): SshFault & { readonly isDown?: boolean } => {
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
    }).output().catch(() => {}); // without ssh there is no connection
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
    const words = [ // of an option that is given twice ssh takes the first
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
    { said }: Lost,
  ): HostError {
    const last = said.split("\n").slice(-3).join("\n");
    return new HostError(
      `${this.name}: ${reason}`,
      { hint: `${hint}${last === "" ? "" : `\n${last}`}`, isDown },
    );
  }
}

/** Made by a program, so that a task that sets up hosts needs no leave to write here. */
async function socketDir(): Promise<string> {
  const what = "Cannot make a directory here";
  const script = "mktemp -d";
  return (await outputOf(localShell(), { script, what })).trim();
}

/** A socket of one shell: short, since a path of a socket has room for about a hundred characters. */
function socketOptions(dir: string): string[] {
  return ["-o", `ControlPath=${join(dir, "s")}`];
}
