/**
 * An episode server as a process of its own: started, asked how it is, ended.
 *
 * It is detached from our terminal and writes to a file, so that it outlives whoever started it: a run of slime
 * goes on when the launcher has gone. It is ended by its address and the secret that it printed when it was
 * ready, never by a name or a bare process id.
 */

import { fileURLToPath } from "node:url";
import { z } from "zod";
import denoConfig from "../../../deno.json" with { type: "json" };
import { HostError } from "../../../env/errors.ts";
import { poll } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { removeIfThere } from "../../runs/storage.ts";

const ROOT = new URL("../../../", import.meta.url);
const POLL_MS = 50;
const HEALTH_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2_000;

/** What a server prints when it is ready. */
export const serviceRecordSchema = z.looseObject({
  url: z.string(),
  pid: z.int(),
  instance: z.string(),
});

/** What is needed to find a server again, and to end just it. */
export type ServiceRecord =
  & Readonly<
    Pick<z.infer<typeof serviceRecordSchema>, "url" | "pid" | "instance">
  >
  & {
    /** The host that it runs on, by its name. */
    readonly host: string;
  };

/** What a server is started with. */
export interface ServiceSpec {
  /** The slime recipe: its name, or a YAML file. */
  readonly recipePath: string;
  /** Keys set over it: `user.strategy=llm`. */
  readonly overrides: readonly string[];
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What it prints is appended here. */
  readonly logPath: string;
  /** The run dir that its episodes are kept in. Default: they are not. */
  readonly record?: string;
  /** Over our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that was started here. */
export interface ServiceProcess {
  readonly record: ServiceRecord;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number }>;
  /** Ends it in any case. */
  kill(): void;
  /** Lets our own process end before it does. */
  unref(): void;
}

/**
 * Starts a server and waits until it answers.
 * @throws {HostError} If it ends instead, with its last words, or is not ready in time.
 * @throws The signal's reason, once it is aborted.
 */
export async function startService(
  spec: ServiceSpec,
  { timeoutMs, signal }: CallOptions & { readonly timeoutMs: number },
): Promise<ServiceProcess> {
  // The line of an earlier start must not be taken for this one's.
  await removeIfThere(readyPath(spec));
  const child = commandOf(spec).spawn();
  let code: number | undefined;
  const ended = child.status.then((status) => {
    code = status.code;
    return status;
  });
  try {
    const record = await poll(async () => {
      const record = await readRecord(spec);
      return record ?? (code === undefined ? undefined : null);
    }, { everyMs: POLL_MS, timeoutMs, signal });
    if (!record) throw await startError(spec, { code, timeoutMs });
    return {
      record,
      ended,
      kill: () => killChild(child),
      unref: () => child.unref(),
    };
  } catch (error) {
    killChild(child);
    await ended;
    throw error;
  }
}

/** Whether just this server answers. Never throws. */
export async function isHealthy(
  { url, pid }: Pick<ServiceRecord, "url" | "pid">,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    const response = await fetch(`${url}/health`, { signal });
    const body = await response.json();
    return response.ok && body?.pid === pid;
  } catch {
    return false;
  }
}

/**
 * Asks just this server to end; what it has under way is answered as aborted.
 * @returns Whether it heard. Another that has its address by now is left alone.
 */
export async function askToStop(
  { url, instance }: Pick<ServiceRecord, "url" | "instance">,
): Promise<boolean> {
  try {
    const response = await fetch(`${url}/stop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ instance }),
      signal: AbortSignal.timeout(STOP_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** The words of `sh` only redirect. */
function commandOf(spec: ServiceSpec): Deno.Command {
  return new Deno.Command("sh", {
    args: [
      "-c",
      `out=$1 log=$2; shift 2; exec "$@" >"$out" 2>>"$log"`,
      "serve",
      readyPath(spec),
      spec.logPath,
      Deno.execPath(),
      ...serviceWords(spec).map((word) =>
        word === SERVE ? fileURLToPath(new URL(word, ROOT)) : word
      ),
    ],
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // Its paths are this process's, and not those of whoever called it.
    env: { ...spec.env, INIT_CWD: "" },
  });
}

const SERVE = "tasks/serve.ts";

/** What follows `deno` in taulab's directory: the task as deno.json has it, with its permissions. */
export function serviceWords(spec: ServiceSpec): string[] {
  const { recipePath, overrides, host, port, record } = spec;
  const task = denoConfig.tasks.serve.command.split(" ").slice(1).map((word) =>
    record !== undefined && word === "--allow-write"
      ? `--allow-write=${record}`
      : word
  );
  return [
    ...task,
    ...["--recipe", recipePath, "--host", host, "--port", String(port)],
    ...overrides.flatMap((override) => ["--set", override]),
    ...(record === undefined ? [] : ["--record", record]),
    "--json",
  ];
}

/** Its standard output: the line that says that it is ready. */
export function readyPath({ logPath }: Pick<ServiceSpec, "logPath">): string {
  return `${logPath}.ready`;
}

async function readRecord(
  spec: ServiceSpec,
): Promise<ServiceRecord | undefined> {
  const text = await Deno.readTextFile(readyPath(spec)).catch(() => "");
  const end = text.indexOf("\n");
  if (end < 0) return undefined;
  const { url, pid, instance } = serviceRecordSchema.parse(
    JSON.parse(text.slice(0, end)),
  );
  return { url, pid, instance, host: THIS_MACHINE };
}

async function startError(
  spec: ServiceSpec,
  { code, timeoutMs }: { code: number | undefined; timeoutMs: number },
): Promise<HostError> {
  const log = await Deno.readTextFile(spec.logPath).catch(() => "");
  const last = log.trim().split("\n").slice(-5).join("\n");
  const what = code === undefined
    ? `is not ready after ${timeoutMs / 1000} s`
    : `ended with code ${code} before it was ready`;
  return new HostError(
    `The episode server at port ${spec.port} ${what}`,
    { hint: `"${spec.logPath}" ends in:\n${last}` },
  );
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has ended by itself
  }
}
