/**
 * Runs episode servers on another host, either on the host itself or in the container where its commands run. The
 * host's shell starts the servers with the copies of taulab and Deno that setup installed there. This machine reaches
 * them through a tunnel, so the host needs no connection to this machine.
 */

import { dirname } from "node:path/posix";
import { z } from "zod";
import { HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { parseJson } from "../../runs/versions.ts";
import { pathWord, quote, type Shell } from "../hosts/shell.ts";
import type { HostTaulab } from "../setup/host_taulab.ts";
import type { HostSpec, ServerHost } from "./server_host.ts";
import {
  readyPath,
  serviceArguments,
  type ServiceRecord,
  serviceRecordSchema,
  type ServiceSpec,
} from "./server_process.ts";

/** Options for {@linkcode remoteServers}. */
export interface RemoteServersOptions {
  /** The shell that starts the servers. */
  readonly shell: Shell;
  /** The paths of taulab's installation on the host, which setup created. */
  readonly taulab: HostTaulab;
  readonly address: string;
  readonly spec: HostSpec;
  /**
   * Environment variables to add for the servers, such as API keys for the user's model and `TAULAB_TOKEN`. Their
   * values are never written to a file or a command line.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Turns a URL on the host into a URL that this machine can reach. */
  readonly reach: (url: string, options?: CallOptions) => Promise<string>;
  /** The fingerprint of the dataset from which the run's rows were made. */
  readonly fingerprint: string;
}

/** Creates a {@linkcode ServerHost} for another host. */
export function remoteServers(options: RemoteServersOptions): ServerHost {
  const { shell, address, spec, reach } = options;
  return {
    name: shell.name,
    address,
    spec,
    reach,
    async start(spec, call) {
      const record = await startOn(spec, { ...options, ...call });
      try {
        await requireSameData(record, { ...options, ...call });
      } catch (error) {
        await kill(record, shell);
        throw error;
      }
      return { record };
    },
    isRunning: (record) => isAlive(record, options),
    kill: (record) => kill(record, shell),
  };
}

type StartOptions =
  & RemoteServersOptions
  & CallOptions
  & { readonly timeoutMs: number };

async function startOn(
  spec: ServiceSpec,
  { shell, taulab, env, timeoutMs, signal }: StartOptions,
): Promise<ServiceRecord> {
  const command = { script: startScript(spec, { taulab, timeoutMs }), env };
  const { code, stdout, stderr } = await shell.run(command, { signal });
  const parsed = serviceRecordSchema.safeParse(parseJson(stdout));
  if (code === 0 && parsed.success) {
    const { url, pid, instance } = parsed.data;
    return { url, pid, instance, host: shell.name };
  }
  if (code === NO_TAULAB) {
    throw new HostError(
      `${shell.name}: the installation of taulab in "${
        dirname(taulab.taulab)
      }" is missing or incomplete`,
      { hint: setUpHint(shell) },
    );
  }
  const what = code === LATE
    ? `was not ready after ${timeoutMs / 1000} s`
    : `exited with status ${code} before it was ready`;
  throw new HostError(
    `The episode server on port ${spec.port} of ${shell.name} ${what}; ${
      stderr.trim() === ""
        ? "its log is empty"
        : `its log ends with:\n${stderr.trim()}`
    }`,
    {
      hint:
        `read the complete log in "${spec.logPath}" on ${shell.name}, and fix the error`,
    },
  );
}

function setUpHint({ name }: Shell): string {
  return `run "deno task setup --serve ${name}" with this recipe`;
}

const NO_TAULAB = 97;
const LATE = 98;

/**
 * Returns the script that starts a server in a separate process session, so that the server outlives the script, and
 * prints the server's record once it is ready. If the server is not ready in time, or the script is terminated while it
 * waits, the script stops the server.
 */
function startScript(
  spec: ServiceSpec,
  { taulab, timeoutMs }: Pick<StartOptions, "taulab" | "timeoutMs">,
): string {
  const [ready, log] = [readyPath(spec), spec.logPath].map(quote);
  // In `KEY=~/DIR`, `~` is the home directory on the host.
  const words = serviceArguments(spec).map((word) => {
    const [, key = "", value = ""] = /^([\w.]+=)?(.*)$/s.exec(word) ?? [];
    return `${key}${pathWord(value)}`;
  });
  return `cd ${
    pathWord(taulab.taulab)
  } && [ -x ${taulab.deno} ] || exit ${NO_TAULAB}
mkdir -p ${quote(dirname(spec.logPath))} && rm -f ${ready} || exit 1
setsid ${taulab.deno} ${words.join(" ")} >${ready} 2>>${log} </dev/null &
pid=$!
trap 'kill $pid; exit 143' TERM
n=0
until [ "$(wc -l <${ready})" -gt 0 ]; do
  if ! kill -0 $pid 2>/dev/null; then
    wait $pid
    code=$?
    tail -n 5 ${log} >&2
    [ $code -ne 0 ] || code=1
    exit $code
  fi
  n=$((n + 1))
  if [ $n -gt ${
    Math.ceil(timeoutMs / 200)
  } ]; then kill $pid; tail -n 5 ${log} >&2; exit ${LATE}; fi
  sleep 0.2
done
head -n 1 ${ready}`;
}

const infoSchema = z.looseObject({ data: z.string(), fingerprint: z.string() });

/**
 * Checks that a server has the same dataset as the run, because rows identify tasks by number.
 * @throws {HostError} If the dataset differs, or something other than an episode server responds.
 */
async function requireSameData(
  { url }: ServiceRecord,
  { shell, reach, env, fingerprint, signal }: StartOptions,
): Promise<void> {
  const token = env["TAULAB_TOKEN"];
  const response = await fetch(`${await reach(url, { signal })}/info`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...signal && { signal },
  });
  const info = infoSchema.safeParse(parseJson(await response.text()));
  if (info.success && info.data.fingerprint === fingerprint) return;
  throw new HostError(
    info.success
      ? `The dataset ${info.data.data} on ${shell.name} differs from the dataset on this machine (fingerprint ${info.data.fingerprint}, here ${fingerprint})`
      : `${url} on ${shell.name} is not an episode server: /info answered with status ${response.status}`,
    {
      hint: info.success
        ? `${setUpHint(shell)} to import the same commit of the dataset`
        : "stop the program that listens on this port, or set bridge.port to another port",
    },
  );
}

/**
 * Checks on a server's host whether this server, and not another one, answers at its address. If the host cannot be
 * reached, the server is assumed to be alive.
 */
async function isAlive(
  { url, pid }: ServiceRecord,
  { shell, taulab }: Pick<RemoteServersOptions, "shell" | "taulab">,
): Promise<boolean> {
  const script = `${taulab.deno} eval ${quote(PROBE)}`;
  const env = { TAULAB_URL: `${url}/health`, TAULAB_PID: String(pid) };
  try {
    return (await shell.run({ script, env })).code === 0;
  } catch (error) {
    if (error instanceof HostError) return true;
    throw error;
  }
}

const PROBE = `const { TAULAB_URL, TAULAB_PID } = Deno.env.toObject();
const answer = await fetch(TAULAB_URL, { signal: AbortSignal.timeout(10000) });
Deno.exit((await answer.json()).pid === Number(TAULAB_PID) ? 0 : 1);`;

async function kill(record: ServiceRecord, shell: Shell): Promise<void> {
  const script = `${isItsProcess(record)} && kill -KILL ${record.pid} || :`;
  await shell.run({ script }).catch((error) => {
    if (!(error instanceof HostError)) throw error;
  });
}

/**
 * Returns a shell command that succeeds if the recorded process id still belongs to an episode server on the recorded
 * port.
 */
function isItsProcess({ pid, url }: ServiceRecord): string {
  const { port } = new URL(url);
  return `tr '\\0' ' ' </proc/${pid}/cmdline 2>/dev/null | grep -q ${
    quote(`tasks/serve.ts .*--port ${port} `)
  }`;
}
